/**
 * Random lives on two sides, with syncs that break off anywhere: at the end one sync makes both alike, nothing that was ever saved is lost,
 * and one more finds nothing to do.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ArchiveLine, MemoryLine } from "../../src/transfer/archive-lines.ts";
import { countersOf, sumsOf } from "../support/counters.ts";
import { backUp, restored } from "../support/backups.ts";
import { callApi, callTool, type Person } from "../support/people.ts";
import { verified } from "../support/verify.ts";
import { BrokenOff, syncSides, twoSides, type Break, type TwoSides } from "../support/sync.ts";
import type { SideName } from "../../src/transfer/sync.ts";
import { conversation, message } from "./fixtures/claude.ts";
import { storesApi } from "./fixtures/sync-life.ts";

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
/** In a memory store, where texts can be taken out for good. */
const NOTES = ["/one.md", "/two.md"];
const SIDES = ["here", "there"] as const;

type Step = { readonly on: (typeof SIDES)[number] } & (
  | { readonly do: "save"; readonly fact: number; readonly tags: number; readonly project: boolean }
  | { readonly do: "supersede"; readonly fact: number; readonly pick: number }
  | { readonly do: "edit"; readonly pick: number; readonly fact: number; readonly tags: number }
  | { readonly do: "importance"; readonly pick: number; readonly importance: number }
  | { readonly do: "trash" | "restore" | "undo"; readonly pick: number }
  | { readonly do: "chat"; readonly chat: number; readonly messages: number; readonly edit: number }
  | {
      readonly do: "chat_undone";
      readonly chat: number;
      readonly messages: number;
      readonly edit: number;
    }
  | { readonly do: "trash_chat" | "restore_chat"; readonly chat: number }
  | { readonly do: "write_note" | "drop_note"; readonly note: number }
  | { readonly do: "redact"; readonly pick: number }
  | { readonly do: "backup" | "set_back" }
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
      do: kind("chat", "chat", "chat_undone"),
      chat,
      messages: fc.integer({ min: 1, max: 5 }),
      edit: small(2),
    }),
  },
  { weight: 1, arbitrary: fc.record({ on, do: kind("trash_chat", "restore_chat"), chat }) },
  {
    weight: 3,
    arbitrary: fc.record({
      on,
      do: kind("write_note", "write_note", "drop_note"),
      note: small(NOTES.length - 1),
    }),
  },
  { weight: 2, arbitrary: fc.record({ on, do: kind("redact"), pick }) },
  { weight: 1, arbitrary: fc.record({ on, do: kind("backup", "set_back") }) },
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

const deduplication = fc.constantFrom("on", "report", "off");
const rules = fc.record({ here: deduplication, there: deduplication });
const lives = fc.array(step, { minLength: 8, maxLength: 30 });
/** So that items of few states go in several parts. */
const TIGHT = { chars: 3_000, conversations: 2, messages: 2, memories: 2 };

test(
  "whatever two sides did, and wherever syncs broke off, a sync makes them alike and loses nothing",
  async () => {
    await fc.assert(
      fc.asyncProperty(lives, rules, fc.boolean(), async (steps, kept, inParts) => {
        const sides = await twoSides();
        if (inParts) sides.limits = TIGHT;
        const life = await begun(sides, kept);
        for (const one of steps) await take(sides, one, life);
        const last = await syncSides(sides);
        expect(last.left).toEqual([]);
        const [here, there] = [await stateOf(sides.here), await stateOf(sides.there)];
        expect(there.memories).toEqual(here.memories);
        expect(there.conversations).toEqual(here.conversations);
        for (const side of [here, there]) {
          expect([...life.said].filter((text) => !side.texts.has(text))).toEqual([]);
          expect([...life.redacted].filter((text) => side.texts.has(text))).toEqual([]);
          if (life.undidChats) continue;
          expect([...life.chatted].filter((text) => !side.texts.has(text))).toEqual([]);
        }
        for (const person of [sides.here, sides.there]) {
          const counters = await countersOf(person);
          // An account that holds nothing has none.
          if (counters !== null) expect(counters).toEqual(await sumsOf(person));
          expect(await verified(person)).toMatchObject({ repaired: {}, left: {} });
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
  /** Texts that were taken out for good. */
  readonly redacted: Set<string>;
  /** Of which both sides have the notes. */
  readonly store: string;
  readonly backups: Partial<Record<SideName, string>>;
  clock: number;
}

async function begun(sides: TwoSides, kept: Record<SideName, string>): Promise<Life> {
  for (const side of SIDES) {
    await callApi(sides[side], "PATCH", "/api/rules", { deduplication: kept[side] });
  }
  const store = await storesApi(sides.here, "POST", "", { name: "Notes" });
  await syncSides(sides);
  return {
    said: new Set(),
    chatted: new Set(),
    undidChats: false,
    redacted: new Set(),
    store: store["id"],
    backups: {},
    clock: 0,
  };
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
      await importChat(person, one, life);
      return;
    case "chat_undone": {
      const { data } = await importChat(person, one, { ...life, chatted: new Set() });
      if (typeof data["operation_id"] !== "string") return;
      const path = `/api/operations/${data["operation_id"]}/undo`;
      const undone = await callApi(person, "POST", path, {});
      life.undidChats ||= undone.data["undone"]?.conversations > 0;
      return;
    }
    case "write_note": {
      const content = `Note ${life.clock} of ${one.on}`;
      const note = await noteAt(person, one.note, life);
      const memories = `/${life.store}/memories`;
      const isWritten = await tryStores(
        person,
        note === null ? memories : `${memories}/${note}`,
        note === null ? { path: NOTES[one.note], content } : { content },
      );
      if (isWritten) life.said.add(content);
      return;
    }
    case "drop_note": {
      const note = await noteAt(person, one.note, life);
      if (note !== null) await storesApi(person, "DELETE", `/${life.store}/memories/${note}`);
      return;
    }
    case "redact":
      return redact(person, one.pick, life);
    case "backup":
      life.backups[one.on] = (await backUp(person)).id;
      return;
    case "set_back": {
      const backup = life.backups[one.on];
      if (backup === undefined) return;
      expect(await restored(person, backup, "whole")).toMatchObject({ state: "finished" });
      // What only this side had is gone, and a text is where it was.
      const [here, there] = [await stateOf(sides.here), await stateOf(sides.there)];
      for (const known of [life.said, life.chatted]) {
        for (const text of known) {
          if (!here.texts.has(text) && !there.texts.has(text)) known.delete(text);
        }
      }
      life.redacted.clear();
      return;
    }
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

/** Its id; null: there is none at that place, or no store. */
async function noteAt(person: Person, which: number, life: Life): Promise<string | null> {
  const lines = await linesOf(person, "memories");
  const root = lines.find((line) => line.type === "memory" && `memstore_${line.id}` === life.store);
  const project = root?.type === "memory" && root.status === "active" ? root.project : null;
  const note = lines.find(
    (line) =>
      line.type === "memory" &&
      line.status === "active" &&
      line.path === NOTES[which] &&
      line.project === project,
  );
  return note?.type === "memory" ? `mem_${note.id}` : null;
}

/** Whether it was taken. */
async function tryStores(person: Person, path: string, body: object): Promise<boolean> {
  try {
    await storesApi(person, "POST", path, body);
    return true;
  } catch {
    return false;
  }
}

/** Takes a text out of all states of a note that have it. What is in use is refused. */
async function redact(person: Person, which: number, life: Life): Promise<void> {
  const states = (await linesOf(person, "memories")).filter(isNoteState);
  const chosen = at(states, which);
  if (chosen === null) return;
  const { id, content } = chosen;
  for (const state of states.filter((one) => one.id === id && one.content === content)) {
    await tryStores(
      person,
      `/${life.store}/memory_versions/memver_${id}_${state.version}/redact`,
      {},
    );
  }
  if ((await stateOf(person)).texts.has(content)) return;
  life.said.delete(content);
  life.redacted.add(content);
}

function isNoteState(line: ArchiveLine): line is MemoryLine {
  const isMemory = line.type === "memory" || line.type === "memory_version";
  return isMemory && line.content.startsWith("Note ");
}

async function importChat(
  person: Person,
  {
    chat: which,
    messages,
    edit,
  }: Pick<Extract<Step, { do: "chat" }>, "chat" | "messages" | "edit">,
  life: Pick<Life, "chatted" | "clock">,
): Promise<{ readonly data: Record<string, any> }> {
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
  if (data["items"]?.by_kind?.message?.skipped > 0) return { data };
  for (const { text } of said as { text: string }[]) life.chatted.add(text);
  return { data };
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
  const lines: ArchiveLine[] = [];
  for (let from: string | null | undefined; from !== null;) {
    const asked = { [what]: ids, ...(from && { from }) };
    const { status, data } = await callApi(person, "POST", "/api/sync/lines", asked);
    expect(status).toBe(200);
    lines.push(...(data["lines"] as ArchiveLine[]));
    from = data["next"] as string | null;
  }
  return lines;
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
