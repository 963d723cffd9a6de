/** An account whose every word is hostile: each field that takes text has a script, marks that turn or hide it, and a name without end. */
import { connectV2 } from "./browser.ts";
import { callsOf } from "./all-tools.ts";
import { HOSTILE, type Dashboard } from "./dashboard.ts";

const LONG = "W".repeat(10_000);
/** Turned round and never back, hidden, stacked high. */
const TWISTED = `\u202Ekcab ton\u2066\u2067\u200B\u200D\uFEFF${"Z\u0334\u0347\u0353\u0324\u030d".repeat(40)}\u{E0041}`;
const LINKS = `[a](javascript:alert(1)) <a href="javascript:alert(2)">b</a> ![c](https://evil.example/c.png) javascript:alert(3) data:text/html,<script>alert(4)</script>`;
export const TEXTS: readonly string[] = [HOSTILE, LONG, TWISTED, LINKS];

/** @returns the pages that show one thing of it alone */
export async function seedHostileAccount(dashboard: Dashboard): Promise<string[]> {
  const { call, server, browser } = dashboard;
  await call("PATCH", "/api/account", { name: HOSTILE.slice(0, 60) });
  const { passkeys } = await call("GET", "/api/account/passkeys");
  await call("PATCH", `/api/account/passkeys/${passkeys[0].id}`, { name: TWISTED.slice(0, 60) });
  await call("POST", "/api/account/recovery-code");

  const { client } = await connectV2(server, browser, { name: HOSTILE });
  await callsOf(client)("save_memory", { content: "What the hostile client saved." });
  await client.close();
  const scopes = ["memories:read", "memories:write"];
  for (const name of [LONG, TWISTED, LINKS]) {
    const { token } = await call("POST", "/api/account/tokens", {
      name: name.slice(0, 60),
      scopes,
    });
    await fetch(`${server.origin}/api/memories`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ content: `Saved by ${name.slice(0, 30)}` }),
    });
  }

  const shown: string[] = [];
  for (const text of TEXTS) {
    const { memory } = await call("POST", "/api/memories", {
      content: text,
      tags: TEXTS.map((tag) => tag.slice(0, 64)),
      project: text.slice(0, 100),
    });
    await call("PATCH", `/api/memories/${memory.id}`, { content: `Changed: ${text}` });
    shown.push(`/memories/${memory.id}`);
  }
  await call("POST", "/api/memory-tool", {
    command: "create",
    path: `/memories/${"W".repeat(60)}<img src=x onerror=alert(1)>.md`,
    file_text: TEXTS.join("\n"),
  });
  const { memory: trashed } = await call("POST", "/api/memories", { content: `Trash: ${HOSTILE}` });
  await call("DELETE", `/api/memories/${trashed.id}`);
  await call("PATCH", "/api/rules", {
    imports: "pending",
    blocked_tags: TEXTS.map((tag) => `blocked ${tag}`.slice(0, 60)),
  });
  await dashboard.importRecords(
    {
      memories: TEXTS.map((text, at) => ({
        id: `pending-${at}`,
        content: `Waits: ${text}`,
        category: "other",
        status: "active",
        source: "api",
        project: text.slice(0, 100),
        tags: [text.slice(0, 64)],
      })),
      conversations: TEXTS.map((text, at) => ({
        id: `hostile-${at}`,
        title: text,
        project: text,
        source: at === 0 ? "chatgpt" : "claude",
        messages: TEXTS.map((said, turn) => ({
          role: turn % 2 === 0 ? "user" : "assistant",
          text: `${said}\n\n\`\`\`${said.slice(0, 80)}\n${said}\n\`\`\`\n\n\`${said.slice(0, 200)}\``,
          created_at: new Date(Date.UTC(2026, 5, 1 + at, 12, turn)).toISOString(),
          attachments: [{ name: said, type: "text", text: said }],
        })),
      })),
    },
    `${HOSTILE}.json`,
  );
  const { conversations } = await call("GET", "/api/conversations?limit=10");
  shown.push(...conversations.map(({ id }: { id: string }) => `/conversations/${id}`));
  await call("POST", "/api/backups");
  return shown;
}
