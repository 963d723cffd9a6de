/** The timeline counts what is in use by the person's own days. */
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { callApi, callTool, newPerson, type Person } from "../support/people.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

test("memories and messages stand on the person's days, by source, and what is in the trash does not", async () => {
  const person = await newPerson({ timeZone: "Asia/Kolkata" });
  for (const content of ["One", "Two", "Three"]) {
    await callTool(person, "save_memory", { content });
  }
  const { data } = await callTool(person, "save_memory", { content: "Four" });
  await callTool(person, "delete_memory", { id: data["memory"].id });
  await callTool(person, "import_data", { items: [{ content: "Five" }, chat("Soil", 3)] });
  const today = dayIn("Asia/Kolkata", Date.now());
  const { status, data: timeline } = await callApi(person, "GET", "/api/timeline?days=30");
  expect(status).toBe(200);
  expect(timeline).toEqual({
    time_zone: "Asia/Kolkata",
    days: [{ day: today, memories: { mcp: 3, other: 1 }, messages: { claude: 3 } }],
    is_complete: true,
  });
});

test("a day begins at the person's midnight, whatever their time zone", async () => {
  // Five and three quarters of an hour before Greenwich's.
  const person = await newPerson({ timeZone: "Asia/Kathmandu" });
  const midnight = Math.floor(Date.now() / DAY) * DAY - 3 * DAY - 5.75 * HOUR;
  const ids = await saved(person, ["Before", "After"]);
  await moveTo(person, ids[0], midnight - 1);
  await moveTo(person, ids[1], midnight);
  const { data } = await callApi(person, "GET", "/api/timeline");
  const day = dayIn("Asia/Kathmandu", midnight);
  expect(data["days"].map((one: { day: string }) => one.day)).toEqual([
    dayIn("Asia/Kathmandu", midnight - 1),
    day,
  ]);
  expect(data["days"][0].day).not.toBe(day);
});

test("it reaches as many days back as was asked, and no further", async () => {
  const person = await newPerson();
  const ids = await saved(person, ["Now", "Six days ago", "Seven days ago"]);
  await moveTo(person, ids[1], Date.now() - 6 * DAY);
  await moveTo(person, ids[2], Date.now() - 7 * DAY);
  const { data } = await callApi(person, "GET", "/api/timeline?days=7");
  expect(data["days"]).toHaveLength(2);
  for (const days of ["0", "367", "x", "1.5"]) {
    const { status, data } = await callApi(person, "GET", `/api/timeline?days=${days}`);
    expect([days, status, data["error"]?.code]).toEqual([days, 400, "invalid_input"]);
  }
});

test("days are those of the calendar, also where clocks are changed", async () => {
  // Half past eleven in the evening of the day that has 25 hours there.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-02T04:30:00Z") });
  const person = await newPerson({ timeZone: "America/New_York" });
  const [id] = await saved(person, ["The day before"]);
  await moveTo(person, id, Date.parse("2026-10-31T04:00:00Z"));
  const { data } = await callApi(person, "GET", "/api/timeline?days=2");
  vi.useRealTimers();
  expect(data["days"].map(({ day }: { day: string }) => day)).toEqual(["2026-10-31"]);
});

test("nobody else's rows are counted", async () => {
  const person = await newPerson();
  await callTool(person, "save_memory", { content: "Mine" });
  const { data } = await callApi(await newPerson(), "GET", "/api/timeline");
  expect(data["days"]).toEqual([]);
});

async function saved(person: Person, contents: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const content of contents) {
    ids.push((await callTool(person, "save_memory", { content })).data["memory"].id);
  }
  return ids;
}

/** As if it had been saved then. */
async function moveTo({ userId }: Person, id: string | undefined, time: number): Promise<void> {
  await env.DB.prepare("UPDATE memories SET created_at = ?3 WHERE user_id = ?1 AND id = ?2")
    .bind(userId, id, time)
    .run();
}

function dayIn(timeZone: string, time: number): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" }).format(time);
}

function chat(title: string, count: number) {
  const messages = Array.from({ length: count }, (_, at) => ({
    id: `${at}`,
    role: "user",
    content: `Line ${at}`,
  }));
  return {
    platform: "claude",
    id: title,
    title,
    created_at: new Date().toISOString(),
    messages,
  };
}
