/**
 * A model of two accounts that know nothing of each other, and the steps that both users take on it. What the model says of one
 * user depends on that user's own steps only, so whatever the real server says differently leaked from the other.
 */
import fc from "fast-check";
import { callTool, newPerson, type Person, type ToolResult } from "./people.ts";

export type Who = 0 | 1;

export interface ModelMemory {
  id: string;
  version: number;
  content: string;
  tags: string[];
  importance: number;
  status: "active" | "trashed";
  supersededBy: string | null;
  /** What an import knew it by. */
  importedAs: string | null;
}

export interface ModelConversation {
  id: string;
  title: string;
  messages: { id: string; text: string }[];
}

export interface Account {
  readonly person: Person;
  /** A word that stands in everything this user writes, and in nothing of the other. */
  readonly marker: string;
  readonly memories: ModelMemory[];
  /** By the platform's id, which both users have alike. */
  readonly conversations: Map<string, ModelConversation>;
  /** Idempotency keys, which both users have alike, with the arguments of their first use. */
  readonly keys: Map<string, string>;
  readonly jobs: string[];
  readonly operations: string[];
  readonly cursors: { tool: string; args: Record<string, unknown>; cursor: string }[];
}

/** Whose id a step names. `pick` chooses among those there are. */
export interface Reference {
  readonly whose: "own" | "foreign" | "unknown";
  readonly pick: number;
}

export type Step = { readonly who: Who } & (
  | {
      readonly do: "save";
      readonly fact: number;
      readonly key: number;
      readonly supersedes: Reference | null;
    }
  | {
      readonly do: "update";
      readonly id: Reference;
      readonly fact: number | null;
      readonly tag: number;
      readonly status: "active" | "trashed" | null;
      readonly isStale: boolean;
    }
  | { readonly do: "delete"; readonly id: Reference; readonly isStale: boolean }
  | { readonly do: "get"; readonly id: Reference }
  | {
      readonly do: "search";
      readonly tool: "search_memory" | "search_conversations";
      readonly fact: number;
      readonly isForeign: boolean;
    }
  | { readonly do: "page"; readonly tool: "list_memories" | "list_conversations" | "search_memory" }
  | { readonly do: "cursor"; readonly cursor: Reference; readonly isOtherQuery: boolean }
  | { readonly do: "import"; readonly fact: number; readonly platformId: number | null }
  | { readonly do: "chat"; readonly chat: number; readonly message: number }
  | { readonly do: "read"; readonly conversation: Reference; readonly around: Reference | null }
  | { readonly do: "job"; readonly tool: "import_data" | "export_data"; readonly job: Reference }
  | { readonly do: "overview"; readonly tool: "get_stats" | "export_data" }
);

const reference: fc.Arbitrary<Reference> = fc.record({
  whose: fc.constantFrom("own", "own", "foreign", "foreign", "unknown"),
  pick: fc.nat(50),
});
const who = fc.constantFrom<Who>(0, 1);
/** Few, so that texts, keys and ids of the two meet. */
const fact = fc.nat(5);

export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      who,
      do: fc.constant("save"),
      fact,
      key: fc.nat(5),
      supersedes: fc.option(reference, { freq: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      who,
      do: fc.constant("update"),
      id: reference,
      fact: fc.option(fact),
      tag: fc.nat(3),
      status: fc.constantFrom(null, null, "active", "trashed"),
      isStale: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ who, do: fc.constant("delete"), id: reference, isStale: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ who, do: fc.constant("get"), id: reference }) },
  {
    weight: 2,
    arbitrary: fc.record({
      who,
      do: fc.constant("search"),
      tool: fc.constantFrom("search_memory", "search_conversations"),
      fact,
      isForeign: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      who,
      do: fc.constant("page"),
      tool: fc.constantFrom("list_memories", "list_conversations", "search_memory"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      who,
      do: fc.constant("cursor"),
      cursor: reference,
      isOtherQuery: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      who,
      do: fc.constant("import"),
      fact,
      platformId: fc.option(fc.nat(3)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ who, do: fc.constant("chat"), chat: fc.nat(2), message: fc.nat(4) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      who,
      do: fc.constant("read"),
      conversation: reference,
      around: fc.option(reference),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      who,
      do: fc.constant("job"),
      tool: fc.constantFrom("import_data", "export_data"),
      job: reference,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      who,
      do: fc.constant("overview"),
      tool: fc.constantFrom("get_stats", "export_data"),
    }),
  },
);

export async function twoAccounts(): Promise<readonly [Account, Account]> {
  const [one, other] = await Promise.all([newPerson(), newPerson()]);
  return [emptyAccount(one, "heron"), emptyAccount(other, "walrus")];
}

/** Something of each kind for both, so that every step finds something to name. */
export const BEGINNING: readonly Step[] = ([0, 1] as const).flatMap((who): Step[] => [
  { who, do: "save", fact: 0, key: 0, supersedes: null },
  { who, do: "save", fact: 1, key: 9, supersedes: null },
  { who, do: "chat", chat: 0, message: 0 },
  { who, do: "chat", chat: 0, message: 1 },
  { who, do: "import", fact: 2, platformId: 0 },
  { who, do: "page", tool: "list_memories" },
]);

function emptyAccount(person: Person, marker: string): Account {
  return {
    person,
    marker,
    memories: [],
    conversations: new Map(),
    keys: new Map(),
    jobs: [],
    operations: [],
    cursors: [],
  };
}

/** All ids by which something of the account could be named. */
export function idsOf(account: Account): string[] {
  return [
    ...account.memories.map(({ id }) => id),
    ...[...account.conversations.values()].flatMap(({ id, messages }) => [
      id,
      ...messages.map((message) => message.id),
    ]),
    ...account.jobs,
    ...account.operations,
  ];
}

/** What `take` reports for the test to assert on. */
export interface Taken {
  readonly answers: readonly ToolResult[];
  /** Pairs that must be equal to the letter: the answer to a foreign id, and the answer to an id that nobody has. */
  readonly twins: readonly (readonly [foreign: ToolResult, unknown: ToolResult])[];
  /** What the model says of the answer: its outcome or error code; null when it says nothing. */
  readonly expected: string | null;
  readonly outcome: string | null;
}

const UNKNOWN_ID = "zzzzzzzzzzzz";
const UNKNOWN_JOB = "z".repeat(26);

/** Takes a step on the server and on the model. */
export async function take(accounts: readonly [Account, Account], todo: Step): Promise<Taken> {
  const own = accounts[todo.who];
  const other = accounts[todo.who === 0 ? 1 : 0];
  const call = (tool: string, args: Record<string, unknown>) => callTool(own.person, tool, args);

  /** Calls with a foreign id and with one that nobody has. */
  async function foreignCall(
    tool: string,
    name: string,
    id: string,
    args: Record<string, unknown>,
  ) {
    const unknown = id.length > 20 ? UNKNOWN_JOB : UNKNOWN_ID;
    const pair = [
      await call(tool, { ...args, [name]: id }),
      await call(tool, { ...args, [name]: unknown }),
    ] as const;
    return { answers: pair, twins: [pair], expected: "not_found", outcome: outcomeOf(pair[0]) };
  }
  function said(answer: ToolResult, expected: string | null): Taken {
    const { operation_id: operation } = answer.data;
    if (typeof operation === "string") own.operations.push(operation);
    return { answers: [answer], twins: [], expected, outcome: outcomeOf(answer) };
  }
  /** Null for an unknown id, or where there is nothing to name. */
  function memoryOf(at: Reference): ModelMemory | null {
    return at.whose === "own" ? (own.memories[at.pick % own.memories.length] ?? null) : null;
  }
  function foreignIdOf(at: Reference): string | null {
    const ids = idsOf(other);
    return at.whose === "foreign" ? (ids[at.pick % ids.length] ?? null) : null;
  }

  switch (todo.do) {
    case "save": {
      const content = factOf(own, todo.fact);
      const key = todo.key < 3 ? `key ${todo.key}` : null;
      const foreign = todo.supersedes === null ? null : foreignIdOf(todo.supersedes);
      const base = { content, ...(key === null ? {} : { idempotency_key: key }) };
      const used = key === null ? undefined : own.keys.get(key);
      if (foreign !== null) {
        // No save under a foreign id was ever accepted, so a used key was used for something else.
        const expected = used === undefined ? "not_found" : "idempotency_conflict";
        return { ...(await foreignCall("save_memory", "supersedes", foreign, base)), expected };
      }
      const superseded = todo.supersedes === null ? null : memoryOf(todo.supersedes);
      const supersedes = todo.supersedes === null ? null : (superseded?.id ?? UNKNOWN_ID);
      const answer = await call("save_memory", {
        ...base,
        ...(supersedes === null ? {} : { supersedes }),
      });
      const args = JSON.stringify([content, supersedes]);
      if (used !== undefined) return said(answer, used === args ? null : "idempotency_conflict");
      const isReplaceable = superseded !== null && superseded.status !== "trashed";
      if (supersedes !== null && !isReplaceable) return said(answer, "not_found");
      if (key !== null) own.keys.set(key, args);
      const twin = livingTwin(own, content, null);
      const made = twin ?? newMemory(answer.data["memory"]?.id, content, null);
      if (twin === null) own.memories.push(made);
      if (superseded !== null && superseded !== made && superseded.supersededBy === null) {
        superseded.supersededBy = made.id;
        superseded.version += 1;
      }
      return said(answer, twin === null ? "created" : "duplicate");
    }
    case "update": {
      const changes = {
        ...(todo.fact === null ? {} : { content: factOf(own, todo.fact) }),
        ...(todo.tag === 0 ? {} : { add_tags: [`${own.marker} tag ${todo.tag}`] }),
        ...(todo.status === null ? {} : { status: todo.status }),
      };
      const foreign = foreignIdOf(todo.id);
      if (foreign !== null) return foreignCall("update_memory", "id", foreign, changes);
      const memory = memoryOf(todo.id);
      const ifVersion = todo.isStale && memory !== null ? { if_version: memory.version + 7 } : {};
      const answer = await call("update_memory", {
        id: memory?.id ?? UNKNOWN_ID,
        ...changes,
        ...ifVersion,
      });
      if (memory === null) return said(answer, "not_found");
      if (todo.isStale) return said(answer, "version_conflict");
      return said(answer, updateModel(own, memory, changes));
    }
    case "delete": {
      const foreign = foreignIdOf(todo.id);
      if (foreign !== null) return foreignCall("delete_memory", "id", foreign, {});
      const memory = memoryOf(todo.id);
      const ifVersion = todo.isStale && memory !== null ? { if_version: memory.version + 7 } : {};
      const answer = await call("delete_memory", { id: memory?.id ?? UNKNOWN_ID, ...ifVersion });
      if (memory === null) return said(answer, "not_found");
      if (memory.status === "trashed") return said(answer, null);
      if (todo.isStale) return said(answer, "version_conflict");
      memory.status = "trashed";
      memory.version += 1;
      return said(answer, null);
    }
    case "get": {
      const foreign = foreignIdOf(todo.id);
      const history = { include_history: true };
      if (foreign !== null) return foreignCall("get_memory", "id", foreign, history);
      const memory = memoryOf(todo.id);
      const answer = await call("get_memory", { id: memory?.id ?? UNKNOWN_ID, ...history });
      if (memory === null) return said(answer, "not_found");
      return said(answer, `version ${memory.version}`);
    }
    case "search": {
      const query = factOf(todo.isForeign ? other : own, todo.fact);
      return said(await call(todo.tool, { query, limit: 50, max_tokens: 50_000 }), null);
    }
    case "page": {
      const args = { limit: 1, ...(todo.tool === "search_memory" ? { query: "fact" } : {}) };
      const answer = await call(todo.tool, args);
      const { next_cursor: cursor } = answer.data;
      if (typeof cursor === "string") own.cursors.push({ tool: todo.tool, args, cursor });
      return said(answer, null);
    }
    case "cursor": {
      const { whose, pick } = todo.cursor;
      const source = whose === "foreign" ? other.cursors : own.cursors;
      const found = source[pick % source.length];
      if (found === undefined || whose === "unknown") {
        return said(await call("list_memories", { cursor: "nobodys.cursor" }), "invalid_input");
      }
      const { tool, args, cursor } = found;
      const otherQuery = todo.isOtherQuery ? { after: "2020-01-01" } : {};
      const answer = await call(tool, { ...args, ...otherQuery, cursor });
      if (whose === "own" && !todo.isOtherQuery) return said(answer, null);
      const forged = await call(tool, { ...args, ...otherQuery, cursor: "forged.cursor" });
      const twins = [[answer, forged] as const];
      return { answers: [answer], twins, expected: "invalid_input", outcome: outcomeOf(answer) };
    }
    case "import": {
      const content = factOf(own, todo.fact);
      const id = todo.platformId === null ? {} : { id: `item-${todo.platformId}` };
      const answer = await call("import_data", { items: [{ content, platform: "mem0", ...id }] });
      own.jobs.push(answer.data["job"].id);
      const importedAs = todo.platformId === null ? `text ${content}` : `id ${todo.platformId}`;
      const known = own.memories.find((memory) => memory.importedAs === importedAs);
      if (known?.status === "trashed") return said(answer, "skipped 1");
      if (known !== undefined || livingTwin(own, content, null) !== null) {
        return said(answer, "unchanged 1");
      }
      own.memories.push(newMemory(await freshMemoryId(own), content, importedAs));
      return said(answer, "new 1");
    }
    case "chat": {
      const platformId = `chat-${todo.chat}`;
      const title = `${own.marker} chat ${todo.chat}`;
      const text = `${own.marker} message ${todo.message}`;
      const answer = await call("import_data", {
        items: [
          {
            platform: "chatgpt",
            id: platformId,
            title,
            messages: [{ role: "user", content: text }],
          },
        ],
      });
      own.jobs.push(answer.data["job"].id);
      const known = own.conversations.get(platformId);
      if (known?.messages.some((message) => message.text === text) === true) {
        return said(answer, "unchanged 2");
      }
      const id = known?.id ?? (await freshConversationId(own));
      const conversation = known ?? { id, title, messages: [] };
      own.conversations.set(platformId, conversation);
      const { data } = await call("get_conversation", { id, limit: 200 });
      conversation.messages.push({ id: data["messages"].at(-1)?.id, text });
      return said(answer, known === undefined ? "new 2" : "new 1");
    }
    case "read": {
      const conversations = [...own.conversations.values()];
      const foreign = foreignIdOf(todo.conversation);
      if (foreign !== null) return foreignCall("get_conversation", "id", foreign, {});
      const found =
        todo.conversation.whose === "own"
          ? conversations[todo.conversation.pick % conversations.length]
          : undefined;
      const id = found?.id ?? UNKNOWN_ID;
      if (found === undefined || todo.around === null) {
        const answer = await call("get_conversation", { id });
        return said(answer, found === undefined ? "not_found" : null);
      }
      const foreignMessage = foreignIdOf(todo.around);
      if (foreignMessage !== null) {
        return foreignCall("get_conversation", "around", foreignMessage, { id });
      }
      const around =
        todo.around.whose === "own"
          ? found.messages[todo.around.pick % found.messages.length]?.id
          : undefined;
      const answer = await call("get_conversation", { id, around: around ?? UNKNOWN_ID });
      return said(answer, around === undefined ? "not_found" : null);
    }
    case "job": {
      const { whose, pick } = todo.job;
      const foreign = whose === "foreign" ? other.jobs[pick % other.jobs.length] : undefined;
      if (foreign !== undefined) return foreignCall(todo.tool, "job_id", foreign, {});
      const job = whose === "own" ? own.jobs[pick % own.jobs.length] : undefined;
      const answer = await call(todo.tool, { job_id: job ?? UNKNOWN_JOB });
      // All of these jobs are imports.
      const isFound = job !== undefined && todo.tool === "import_data";
      return said(answer, isFound ? null : "not_found");
    }
    case "overview":
      return said(await call(todo.tool, {}), null);
  }
}

/** What the server holds of a user, in the model's form. */
export async function storedState({ person }: Account) {
  const { data } = await callTool(person, "export_data", { deliver: "inline" });
  const { memories, conversations } = JSON.parse(data["data"]) as {
    memories: Record<string, any>[];
    conversations: Record<string, any>[];
  };
  return {
    memories: memories
      .map((memory) => ({
        id: memory["id"],
        version: memory["version"],
        content: memory["content"],
        tags: memory["tags"],
        importance: memory["importance"],
        status: memory["status"],
        supersededBy: memory["superseded_by"] ?? null,
      }))
      .sort(byId),
    conversations: conversations
      .map(({ id, title, messages }) => ({
        id,
        title,
        messages: messages.map((message: { id: string; text: string }) => ({
          id: message.id,
          text: message.text,
        })),
      }))
      .sort(byId),
  };
}

export function modelState(account: Account): Awaited<ReturnType<typeof storedState>> {
  return {
    memories: account.memories
      .map(({ id, version, content, tags, importance, status, supersededBy }) => ({
        id,
        version,
        content,
        tags,
        importance,
        status,
        supersededBy,
      }))
      .sort(byId),
    conversations: [...account.conversations.values()].sort(byId),
  };
}

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1;
}

function factOf({ marker }: Account, number: number): string {
  // One text that both have, so that equal fingerprints meet too.
  return number === 0 ? "fact of both" : `${marker} fact number ${number}`;
}

function newMemory(id: string, content: string, importedAs: string | null): ModelMemory {
  return {
    id,
    version: 1,
    content,
    tags: [],
    importance: 3,
    status: "active",
    supersededBy: null,
    importedAs,
  };
}

function livingTwin(own: Account, content: string, but: ModelMemory | null): ModelMemory | null {
  return (
    own.memories.find(
      (memory) =>
        memory !== but &&
        memory.content === content &&
        memory.status === "active" &&
        memory.supersededBy === null,
    ) ?? null
  );
}

function updateModel(
  own: Account,
  memory: ModelMemory,
  changes: { content?: string; add_tags?: string[]; status?: "active" | "trashed" },
): string | null {
  const content = changes.content ?? memory.content;
  const tags = [...new Set([...memory.tags, ...(changes.add_tags ?? [])])];
  const status = changes.status ?? memory.status;
  const isSame =
    content === memory.content && tags.length === memory.tags.length && status === memory.status;
  if (isSame) return null;
  const isLiving = status === "active" && memory.supersededBy === null;
  if (isLiving && livingTwin(own, content, memory) !== null) return "version_conflict";
  Object.assign(memory, { content, tags, status, version: memory.version + 1 });
  return `version ${memory.version}`;
}

async function freshMemoryId(own: Account): Promise<string> {
  const { data } = await callTool(own.person, "list_memories", { limit: 100, max_tokens: 50_000 });
  const known = new Set(own.memories.map(({ id }) => id));
  const [fresh] = data["memories"].filter(({ id }: { id: string }) => !known.has(id));
  return fresh?.id;
}

async function freshConversationId(own: Account): Promise<string> {
  const { data } = await callTool(own.person, "list_conversations", { limit: 100 });
  const known = new Set([...own.conversations.values()].map(({ id }) => id));
  const [fresh] = data["conversations"].filter(({ id }: { id: string }) => !known.has(id));
  return fresh?.id;
}

/** A word for what an answer says: the error's code, the outcome of a save, the version, or the first count of an import that is not zero. */
function outcomeOf({ isError, data }: ToolResult): string | null {
  if (isError) return data["error"]?.code ?? "an error of the server";
  if (typeof data["outcome"] === "string") return data["outcome"];
  if (typeof data["memory"]?.version === "number") return `version ${data["memory"].version}`;
  const counts = data["items"] as Record<string, number> | undefined;
  const name = ["new", "unchanged", "skipped"].find((one) => (counts?.[one] ?? 0) > 0);
  return name === undefined ? null : `${name} ${counts?.[name]}`;
}
