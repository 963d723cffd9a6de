/** What each page of the dashboard says while it waits, when there is nothing, and when something is in the way; and the way out. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { DASHBOARD_PATHS } from "../../src/auth/dashboard-paths.ts";
import { violationsOf } from "./support/accessibility.ts";
import { openDashboard, type Dashboard } from "./support/dashboard.ts";
import { untilRead } from "./support/pages.ts";

interface Case {
  readonly path: string;
  /** What it says when all was read: of an account with nothing in it, that it is empty. */
  readonly says: string;
}

const EMPTY: readonly Case[] = [
  { path: "/", says: "Nothing was changed yet." },
  { path: "/memories", says: "No memories yet." },
  { path: "/memories?status=pending", says: "Nothing waits for you." },
  { path: "/memories?status=trashed", says: "The trash is empty." },
  { path: "/conversations", says: "No conversations yet." },
  { path: "/connect", says: "Waiting for an app." },
  { path: "/conversations?q=heron", says: "Nothing was found." },
  { path: "/import", says: "Nothing was brought in yet." },
  { path: "/export", says: "No export yet." },
  { path: "/history", says: "Nothing was changed yet." },
  { path: "/apps", says: "Nothing is connected yet." },
  { path: "/rules", says: "Saving without asking" },
  { path: "/security", says: "This is your only passkey" },
];

/** With one of each in the account. */
const SINGLE: readonly Case[] = [
  { path: "/memories/:id", says: "Keeps bees." },
  { path: "/conversations/:id", says: "A heron at the weir." },
];

let dashboard: Dashboard;

/** What the page is told in the place of the server's answer; null: that answer. */
type Instead = { readonly status: number; readonly body: unknown } | "unreachable" | null;
type Answering = () => Instead | Promise<Instead>;
const asItIs: Answering = () => null;
let answering = asItIs;

/** In the page, before its scripts. Not by a route of Playwright's, which turns the cache off, so that each page is loaded from nothing. */
const ANSWER_INSTEAD = `
  const ask = globalThis.fetch;
  globalThis.fetch = async (...request) => {
    const { pathname } = new URL(request[0], location.href);
    if (!/^\\/api\\/(?!live$|auth\\/)/u.test(pathname)) return ask(...request);
    const instead = await globalThis.answerInstead();
    if (instead === null) return ask(...request);
    if (instead === "unreachable") throw new TypeError("Failed to fetch");
    return Response.json(instead.body, { status: instead.status });
  };
`;

beforeAll(async () => {
  dashboard = await openDashboard();
  await dashboard.page.exposeFunction("answerInstead", () => answering());
  await dashboard.page.addInitScript(ANSWER_INSTEAD);
});
afterAll(() => dashboard?.close());

test("every path of the dashboard is asked for its states", () => {
  const asked = [...EMPTY, ...SINGLE].map(({ path }) => path.replace(/\?.*$/u, ""));
  expect(asked).toEqual(expect.arrayContaining([...DASHBOARD_PATHS]));
});

test.for(EMPTY)("$path: waiting, empty, broken, refused, signed out, offline", inEveryState);

test("the states themselves are accessible", async () => {
  const { page, open } = dashboard;
  const release = hold();
  await open("/history");
  await page.getByRole("heading", { level: 1 }).waitFor();
  expect(await violationsOf(page)).toEqual([]);
  release(refusal(500));
  await problem("internal").waitFor();
  expect(await violationsOf(page)).toEqual([]);
  for (const [status, code] of [
    [403, "forbidden"],
    [401, "signed_out"],
  ] as const) {
    answering = refusal(status);
    await comeBack();
    await problem(code).waitFor();
    expect(await violationsOf(page), code).toEqual([]);
  }
  answering = asItIs;
});

test.for(SINGLE)("$path: waiting, read, broken, refused, signed out, offline", async (one) => {
  const { call, importRecords } = dashboard;
  const isMemory = one.path.startsWith("/memories");
  if (isMemory) {
    await call("POST", "/api/memories", { content: one.says });
  } else {
    const message = { role: "user", text: one.says, created_at: "2026-06-01T12:00:00Z" };
    const conversation = { id: "weir", title: "Herons", source: "claude", messages: [message] };
    await importRecords({ conversations: [conversation] });
  }
  const { memories, conversations } = await call(
    "GET",
    isMemory ? "/api/memories" : "/api/conversations",
  );
  const [found] = memories ?? conversations;
  await inEveryState({ ...one, path: one.path.replace(":id", found.id) });
});

test("what is opened without a connection goes on by itself when it is back", async () => {
  const { page, context, open, call } = dashboard;
  await call("POST", "/api/memories", { content: "Sells rye." });
  await open("/memories");
  // The page of a memory is loaded by now, the other memory is not.
  await page.getByRole("link", { name: "Keeps bees." }).click();
  await page.getByRole("region", { name: "What it says" }).waitFor();
  await page.getByRole("link", { name: "All memories" }).click();
  await page.getByRole("link", { name: "Sells rye." }).waitFor();
  await context.setOffline(true);
  await page.getByText("No connection.").waitFor();
  await page.getByRole("link", { name: "Sells rye." }).click();
  await page.locator("[data-problem=offline]").getByText("There is no connection.").waitFor();
  await context.setOffline(false);
  await page.getByRole("region", { name: "What it says" }).getByText("Sells rye.").waitFor();
});

test("a memory and a conversation that are not there", async () => {
  const { page, open } = dashboard;
  for (const path of ["/memories/aaaaaaaaaaaa", "/conversations/aaaaaaaaaaaa"]) {
    await open(path);
    const problem = page.locator("[data-problem=not_found]").first();
    await problem.waitFor();
    expect(await problem.getByRole("button", { name: "Try again" }).count()).toBe(0);
    await page.getByRole("link", { name: /^All / }).waitFor();
  }
});

test("who is not signed in is led to sign in, and back to where they were going", async () => {
  const { origin } = dashboard.server;
  for (const pattern of [...DASHBOARD_PATHS, "/account"]) {
    const path = pattern.replace(":id", "aaaaaaaaaaaa");
    const answer = await fetch(origin + path, { redirect: "manual" });
    const next = new URL(answer.headers.get("location") ?? "", origin);
    expect([answer.status, next.pathname, next.searchParams.get("next")]).toEqual([
      302,
      "/sign-in",
      path,
    ]);
  }
});

test("until here nothing was refused by the content security policy, and no script failed", () => {
  dashboard.expectNoComplaints();
});

test("a page that cannot be loaded says so, with and without a connection, and is loaded again", async () => {
  const { page, context, open } = dashboard;
  const chunkOf = (name: string) => `**/assets/dashboard/chunks/${name}-*.js`;
  await open("/");
  await untilRead(page);
  await page.route(chunkOf("history"), (route) => route.fulfill({ status: 404 }));
  await page.getByRole("link", { name: "History", exact: true }).click();
  await page.getByText("This page could not be shown.").waitFor();
  await page.unroute(chunkOf("history"));
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("heading", { name: "History", level: 1 }).waitFor();

  // With a route the browser keeps nothing, so that it has to ask for the page that it has had.
  await page.route(chunkOf("rules"), (route) => route.continue());
  await open("/");
  await untilRead(page);
  await context.setOffline(true);
  await page.getByRole("link", { name: "Rules", exact: true }).click();
  await page.getByText("There is no connection, and this page was not loaded yet.").waitFor();
  await context.setOffline(false);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("heading", { name: "Rules", level: 1 }).waitFor();
});

/** One after the other, in one visit: who meets them goes from each to the next. */
async function inEveryState({ path, says }: Case): Promise<void> {
  const { page, context, open } = dashboard;
  const said = page.locator("main").getByText(says).first();

  const release = hold();
  await open(path);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.locator("main").getByText("Loading …").first().waitFor();

  release(refusal(500));
  await problem("internal").getByText("It broke.").waitFor();
  await problem("internal").getByText("What to do about it.").waitFor();

  answering = () => "unreachable";
  await tryAgain();
  await problem("offline").getByText("The server cannot be reached.").waitFor();

  answering = refusal(403);
  await tryAgain();
  await problem("forbidden").getByText("What to do about it.").waitFor();
  expect(await problem("forbidden").getByRole("button").count()).toBe(0);

  answering = refusal(401);
  await comeBack();
  await problem("signed_out").getByText("You are signed out.").waitFor();
  const signIn = problem("signed_out").getByRole("link", { name: "Sign in" });
  expect(await signIn.getAttribute("href")).toBe(`/sign-in?next=${encodeURIComponent(path)}`);

  answering = asItIs;
  await comeBack();
  await said.waitFor();

  await context.setOffline(true);
  await page.getByText("No connection. What is shown may be out of date.").waitFor();
  await said.waitFor();
  await context.setOffline(false);
  await page.getByText("No connection.").waitFor({ state: "hidden" });
}

function problem(code: string) {
  return dashboard.page.locator(`[data-problem=${code}]`).first();
}

/** For every part of the page that could not be read. */
async function tryAgain(): Promise<void> {
  const buttons = dashboard.page.getByRole("button", { name: "Try again" });
  await buttons.evaluateAll((all) => {
    for (const one of all) one.dispatchEvent(new Event("click", { bubbles: true }));
  });
}

/** From another tab: what could not be read is asked again. */
async function comeBack(): Promise<void> {
  await dashboard.page.evaluate("dispatchEvent(new Event('visibilitychange'))");
}

function refusal(status: 401 | 403 | 500): Answering {
  const code = { 401: "unauthorized", 403: "forbidden", 500: "internal" }[status];
  const error = { code, message: "It broke.", hint: "What to do about it." };
  return () => ({ status, body: { error } });
}

/** Nothing is answered until it is released. @returns releases it with this answer, which stays */
function hold(): (to: Answering) => void {
  let letGo = () => {};
  const released = new Promise<void>((done) => {
    letGo = done;
  });
  answering = async () => {
    await released;
    return answering();
  };
  return (to) => {
    answering = to;
    letGo();
  };
}
