/**
 * Random lives on two sides, with syncs that break off anywhere: at the end one sync makes both alike, nothing that was ever saved is lost,
 * and one more finds nothing to do.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ArchiveLine, MemoryLine } from "../../src/transfer/archive-lines.ts";
import { countersOf, sumsOf } from "../support/counters.ts";
import { callApi, callTool, type Person } from "../support/people.ts";
import { BrokenOff, syncSides, twoSides, type Break, type TwoSides } from "../support/sync.ts";
import { conversation, message } from "./fixtures/claude.ts";

/** Lives that are tried: SYNC_RUNS=1000 tries as many as a release is tried with. */
const RUNS = Number(process.env["SYNC_RUNS"]);
/** Of a failure that is to be seen again. */
const SEED = process.env["SYNC_SEED"] ? { seed: Number(process.env["SYNC_SEED"]) } : {};
/** Arbitrary, many times what one takes. */
const TIMEOUT_PER_RUN_MS = 20_000;

const FACTS = [
  "Plays the Celtic harp",
  "Bakes rye bread on Mondays",
  "Lives in Bangor",
  "Keeps two bees",
  "Learns Welsh from Gwen",
];
const PATHS = ["/memories/a.md", "/memories/b.md", "/memories/notes/a.md"];
const CHATS = ["chat-1", "chat-2"];
const SIDES = ["here", "there"] as const;

type Step = { readonly on: (typeof SIDES)[number] } & (
  | { readonly do: "save"; readonly fact: number; readonly tags: number; readonly project: boolean }
  | { readonly do: "supersede"; readonly fact: number; readonly pick: number }
  | { readonly do: "edit"; readonly pick: number; readonly fact: number; readonly tags: number }
  | { readonly do: "importance"; readonly pick: number; readonly importance: number }
  | { readonly do: "trash" | "restore" | "undo"; readonly pick: number }
  | { readonly do: "chat"; readonly chat: number; readonly messages: number; readonly edit: number }
  | { readonly do: "trash_chat" | "restore_chat"; readonly chat: number }
  | { readonly do: "write_file"; readonly path: number; readonly fact: number }
  | { readonly do: "move_file"; readonly path: number; readonly to: number }
  | { readonly do: "delete_file"; readonly path: number }
  | { readonly do: "sync"; readonly breaks: Break | null }
);

const small = (max: number) => fc.nat({ max });
const on = fc.constantFrom(...SIDES);
const fact = small(FACTS.length - 1);
const pick = small(40);
const path = small(PATHS.length - 1);
const chat = small(CHATS.length - 1);
const kind = <Name extends Step["do"]>(...names: Name[]) => fc.constantFrom(...names);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ on, do: kind("save"), fact, tags: small(3), project: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ on, do: kind("supersede"), fact, pick }) },
  { weight: 4, arbitrary: fc.record({ on, do: kind("edit"), pick, fact, tags: small(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      on,
      do: kind("importance"),
      pick,
      importance: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ on, do: kind("trash", "restore", "undo"), pick }) },
  {
    weight: 3,
    arbitrary: fc.record({
      on,
      do: kind("chat"),
      chat,
      messages: fc.integer({ min: 1, max: 5 }),
      edit: small(2),
    }),
  },
  { weight: 1, arbitrary: fc.record({ on, do: kind("trash_chat", "restore_chat"), chat }) },
  { weight: 2, arbitrary: fc.record({ on, do: kind("write_file"), path, fact }) },
  { weight: 1, arbitrary: fc.record({ on, do: kind("move_file"), path, to: path }) },
  { weight: 1, arbitrary: fc.record({ on, do: kind("delete_file"), path }) },
  {
    weight: 3,
    arbitrary: fc.record({
      on,
      do: kind("sync"),
      breaks: fc.option(
        fc.record({
          at: fc.integer({ min: 1, max: 16 }),
          when: fc.constantFrom("before", "after"),
        }),
      ),
    }),
  },
);

const lives = fc.array(step, { minLength: 8, maxLength: 30 });
/** So that items of few states go in several parts. */
const TIGHT = { chars: 3_000, conversations: 2, messages: 2, memories: 2 };

test(
  "whatever two sides did, and wherever syncs broke off, a sync makes them alike and loses nothing",
  async () => {
    await fc.assert(
      fc.asyncProperty(lives, fc.boolean(), async (steps, inParts) => {
        const sides = await twoSides();
        if (inParts) sides.limits = TIGHT;
        const life: Life = { said: new Set(), chatted: new Set(), undidChats: false, clock: 0 };
        for (const one of steps) await take(sides, one, life);
        const last = await syncSides(sides);
        expect(last.left).toEqual([]);
        const [here, there] = [await stateOf(sides.here), await stateOf(sides.there)];
        expect(there.memories).toEqual(here.memories);
        expect(there.conversations).toEqual(here.conversations);
        for (const side of [here, there]) {
          expect([...life.said].filter((text) => !side.texts.has(text))).toEqual([]);
          if (life.undidChats) continue;
          expect([...life.chatted].filter((text) => !side.texts.has(text))).toEqual([]);
        }
        for (const person of [sides.here, sides.there]) {
          const counters = await countersOf(person);
          // An account that holds nothing has none.
          if (counters !== null) expect(counters).toEqual(await sumsOf(person));
        }
        const again = await syncSides(sides);
        expect(sides.requests).not.toContain("/write");
        expect(again).toMatchObject({ conflicts: [], left: [] });
        sides.base = null;
        await syncSides(sides);
        expect(sides.requests).not.toContain("/write");
      }),
      { numRuns: RUNS, ...SEED },
    );
  },
  RUNS * TIMEOUT_PER_RUN_MS,
);

interface Life {
  /** Texts of memories and files. */
  readonly said: Set<string>;
  readonly chatted: Set<string>;
  /** What an undo took out of a conversation before it was ever synced stays where it is. */
  undidChats: boolean;
  clock: number;
}

async function take(sides: TwoSides, one: Step, life: Life): Promise<void> {
  const person = sides[one.on];
  life.clock += 1;
  switch (one.do) {
    case "save": {
      const content = factOf(one.fact);
      life.said.add(content);
      await callTool(person, "save_memory", {
        content,
        tags: tagsOf(one.tags),
        ...(one.project ? { project: "Home" } : {}),
      });
      return;
    }
    case "supersede": {
      const id = await idOf(person, "active", one.pick);
      if (id === null) return;
      const content = `${factOf(one.fact)}, since ${life.clock}`;
      const { isError } = await callTool(person, "save_memory", { content, supersedes: id });
      if (!isError) life.said.add(content);
      return;
    }
    case "edit": {
      const id = await idOf(person, "active", one.pick);
      if (id === null) return;
      const content = factOf(one.fact);
      const args = { id, content, tags: tagsOf(one.tags) };
      const { isError } = await callTool(person, "update_memory", args);
      if (!isError) life.said.add(content);
      return;
    }
    case "importance": {
      const id = await idOf(person, "active", one.pick);
      if (id === null) return;
      await callTool(person, "update_memory", { id, importance: one.importance });
      return;
    }
    case "trash": {
      const id = await idOf(person, "active", one.pick);
      if (id !== null) await callTool(person, "delete_memory", { id });
      return;
    }
    case "restore": {
      const id = await idOf(person, "trashed", one.pick);
      if (id !== null) await callTool(person, "update_memory", { id, status: "active" });
      return;
    }
    case "undo": {
      const { data } = await callApi(person, "GET", "/api/operations?limit=5");
      const operation = at(data["operations"] as { id: string }[], one.pick);
      if (operation === null) return;
      const undone = await callApi(person, "POST", `/api/operations/${operation.id}/undo`, {});
      life.undidChats ||= undone.data["undone"]?.conversations > 0;
      return;
    }
    case "chat":
      return importChat(person, one, life);
    case "trash_chat":
    case "restore_chat": {
      const chats = (await stateOf(person)).chats.filter(
        ({ status }) => (status === "active") === (one.do === "trash_chat"),
      );
      const found = at(chats, one.chat);
      if (found === null) return;
      await (one.do === "trash_chat"
        ? callApi(person, "DELETE", `/api/conversations/${found.id}`)
        : callApi(person, "POST", `/api/conversations/${found.id}/restore`, {}));
      return;
    }
    case "write_file": {
      const text = `${factOf(one.fact)}\n`;
      const given = { command: "create", path: PATHS[one.path], file_text: text };
      const { data } = await callApi(person, "POST", "/api/memory-tool", given);
      if (data["is_error"] === false) life.said.add(text);
      return;
    }
    case "move_file":
      await callApi(person, "POST", "/api/memory-tool", {
        command: "rename",
        old_path: PATHS[one.path],
        new_path: PATHS[one.to],
      });
      return;
    case "delete_file":
      await callApi(person, "POST", "/api/memory-tool", {
        command: "delete",
        path: PATHS[one.path],
      });
      return;
    case "sync":
      try {
        await syncSides(sides, one.breaks === null ? {} : { breaks: one.breaks });
      } catch (error) {
        if (!(error instanceof BrokenOff)) throw error;
      }
  }
}

async function importChat(
  person: Person,
  { chat: which, messages, edit }: Extract<Step, { do: "chat" }>,
  life: Life,
): Promise<void> {
  const uuid = CHATS[which] ?? "";
  const time = (second: number) => new Date(Date.UTC(2026, 8, 20, 8, 0, second)).toISOString();
  const said = Array.from({ length: messages }, (_, index) => {
    const text = `${uuid} says ${index}${edit > 0 && index === edit ? `, or rather ${edit}` : ""}`;
    return message(`${uuid}-${index}`, index % 2 === 0 ? "human" : "assistant", text, {
      created_at: time(index),
    });
  });
  const chatted = conversation(uuid, said, {
    name: `Talk ${which}${edit > 1 ? " again" : ""}`,
    created_at: time(0),
    updated_at: time(60 + life.clock),
  });
  const { data } = await callApi(person, "POST", "/api/imports", [chatted]);
  // A trashed one is skipped as a whole.
  if (data["items"]?.by_kind?.message?.skipped > 0) return;
  for (const { text } of said as { text: string }[]) life.chatted.add(text);
}

interface SideState {
  /** What a person sees of them, in a fixed order. */
  readonly memories: string[];
  readonly conversations: string[];
  readonly chats: { readonly id: string; readonly status: string }[];
  /** Of what is there and of what was. */
  readonly texts: ReadonlySet<string>;
}

async function stateOf(person: Person): Promise<SideState> {
  const memories = await linesOf(person, "memories");
  const chats = await linesOf(person, "conversations");
  const texts = new Set(
    [...memories, ...chats].flatMap((line) =>
      "content" in line ? [line.content] : "text" in line ? [line.text] : [],
    ),
  );
  return {
    memories: memories.flatMap((line) => (line.type === "memory" ? [seenOf(line)] : [])).sort(),
    conversations: chats
      .flatMap((line) =>
        line.type !== "conversation"
          ? []
          : [
              JSON.stringify([
                line.provenance?.id,
                line.status,
                line.title,
                line.created_at,
                line.updated_at,
                chats
                  .filter((one) => one.type === "message" && one.conversation === line.id)
                  .map((one) =>
                    one.type === "message"
                      ? [one.position, one.role, one.text, one.created_at]
                      : [],
                  ),
              ]),
            ],
      )
      .sort(),
    chats: chats.flatMap((line) =>
      line.type === "conversation" ? [{ id: line.id, status: line.status }] : [],
    ),
    texts,
  };
}

function seenOf(line: MemoryLine): string {
  const { status, content, tags, project, importance, category, path: place, superseded_by } = line;
  return JSON.stringify([
    content,
    status,
    tags,
    project,
    importance,
    category,
    place,
    superseded_by !== undefined,
  ]);
}

async function linesOf(person: Person, what: "memories" | "conversations"): Promise<ArchiveLine[]> {
  const { data: page } = await callApi(person, "GET", `/api/sync/${what}`);
  const ids = (page["items"] as { id: string }[]).map(({ id }) => id);
  if (ids.length === 0) return [];
  const { data } = await callApi(person, "POST", "/api/sync/lines", { [what]: ids });
  expect(data["next"]).toBeNull();
  return data["lines"] as ArchiveLine[];
}

async function idOf(person: Person, status: string, which: number): Promise<string | null> {
  const { data } = await callTool(person, "list_memories", { status, limit: 50 });
  return at(data["memories"] as { id: string }[], which)?.id ?? null;
}

function at<T>(items: readonly T[], which: number): T | null {
  return items[which % Math.max(1, items.length)] ?? null;
}

function factOf(which: number): string {
  return FACTS[which] ?? "";
}

function tagsOf(which: number): string[] {
  return ["music", "food"].filter((_, bit) => (which & (bit + 1)) > 0);
}
