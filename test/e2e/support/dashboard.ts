/** A person who is signed in to the dashboard, for the tests of its pages. */
import { expect } from "vitest";
import { openBrowser, type Browser } from "./browser.ts";
import { startServer, type Server } from "./server.ts";

/** A loaded machine may need longer than the usual second. */
export const SOON = { timeout: 20_000 };

export interface Dashboard extends Pick<Browser, "page" | "context"> {
  readonly server: Server;
  readonly browser: Browser;
  readonly open: (path: string) => Promise<void>;
  /** As the person, to the API. */
  readonly call: (
    method: "GET" | "POST" | "PATCH" | "DELETE",
    path: string,
    data?: unknown,
  ) => Promise<any>;
  /** Memories and conversations, in the form of Cofio's own export. */
  readonly importRecords: (records: ImportedRecords, fileName?: string) => Promise<void>;
  /** The narrowest page that there is to be shows no part of it beside the screen. */
  expectNoOverflow(): Promise<void>;
  /** That the content security policy refused nothing, and that no script failed. */
  expectNoComplaints(): void;
  close(): Promise<void>;
}

interface ImportedRecords {
  readonly memories?: readonly unknown[];
  readonly conversations?: readonly unknown[];
}

export async function openDashboard(): Promise<Dashboard> {
  const [server, browser] = await Promise.all([startServer(), openBrowser()]);
  const { page, context } = browser;
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      complaints.push(message.text());
    }
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await browser.signUp(server, "Mair Llwyd");
  const headers = { origin: server.origin };
  return {
    server,
    browser,
    page,
    context,
    async open(path) {
      await page.goto(server.origin + path);
    },
    async call(method, path, data) {
      const answer = await context.request.fetch(server.origin + path, {
        method,
        headers,
        ...(data === undefined ? {} : { data }),
      });
      if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
      return answer.json();
    },
    async importRecords({ memories = [], conversations = [] }, name = "a.json") {
      const file = { format: "cofio", version: 1, exported_at: "2026-11-01T00:00:00Z" };
      const text = JSON.stringify({ ...file, memories, conversations });
      const answer = await context.request.post(`${server.origin}/api/imports`, {
        headers,
        multipart: {
          files: { name, mimeType: "application/json", buffer: Buffer.from(text) },
        },
      });
      if (!answer.ok()) throw new Error(`Import: ${answer.status()} ${await answer.text()}`);
    },
    async expectNoOverflow() {
      const before = page.viewportSize();
      await page.setViewportSize({ width: 390, height: 844 });
      await expect
        .poll(() => page.evaluate("document.documentElement.scrollWidth"), SOON)
        .toBe(390);
      if (before !== null) await page.setViewportSize(before);
    },
    expectNoComplaints() {
      expect(complaints).toEqual([]);
    },
    async close() {
      await browser.close();
      await server.stop();
    },
  };
}

/** In every field that holds words of others. */
export const HOSTILE =
  "<script>alert(1)</script><img src=x onerror=alert(1)> ![x](https://evil.example/x.png) [a](javascript:alert(1)) \u202egnp.exe\u202c\u200b";
