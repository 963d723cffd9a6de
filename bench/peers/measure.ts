/** One server at one size: every operation, what searches find, sixteen calls at once, and two clients that write. */
import type { CallToolResult, Client } from "@modelcontextprotocol/client";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { inParallel } from "../support/in-parallel.ts";
import { percentile } from "../support/percentile.ts";
import { progress } from "../support/report.ts";
import { withTemporaryFolder } from "../support/temporary-folder.ts";
import {
  codeNameOf,
  corpusOf,
  factOf,
  QUESTION_KINDS,
  type Corpus,
  type Fact,
  type QuestionKind,
} from "./facts.ts";
import { textOf, type OpenPeer, type Operations, type Peer, type ToolCall } from "./peer.ts";

/** Not finished within its time; ended by the server, or by an answer that is none; called, but nothing came of it; or there is no such tool. */
export type Missing = Unfinished | "lacking";
type Unfinished = "stopped" | "failed" | "no effect";

export interface Cell {
  /** Milliseconds: medians over the runs of each run's percentile. */
  readonly p50: number;
  readonly p95: number;
  /** Of one answer, median: as JSON, and of its text as a model would count it. */
  readonly bytes: number;
  readonly tokens: number;
  /** Calls that the server answered by an error. */
  readonly refused: number;
}

export const OPERATIONS = [
  "ping",
  ...QUESTION_KINDS.map((kind) => `search: ${kind}` as const),
  "list",
  "get",
  "update",
  "save",
  "delete",
] as const;
export type OperationName = (typeof OPERATIONS)[number];

/** Questions whose answer holds the planted fact. */
export interface Found {
  readonly hits: number;
  readonly of: number;
}

/** Sixteen calls of one client under way at any time. */
export interface AtOnce {
  /** Median of the runs; refused calls do not count. */
  readonly perSecond: number;
  readonly refused: number;
}

export interface TwoClients {
  readonly acknowledged: number;
  /** Acknowledged, and not found afterwards. */
  readonly lost: number;
  readonly refused: number;
}

export interface PeerFigures {
  readonly peer: string;
  readonly version: string;
  readonly transport: string;
  readonly storage: string;
  readonly filledBy: string;
  readonly size: number;
  readonly cells: Readonly<Record<OperationName, Cell | Missing>>;
  readonly found: Readonly<Record<QuestionKind, Found | Missing>>;
  readonly searchesAtOnce: AtOnce | Missing;
  readonly savesAtOnce: AtOnce | Missing;
  readonly twoClients: TwoClients | Missing;
  /** What a model is given before anything is asked: names, descriptions and inputs. */
  readonly tools: { readonly count: number; readonly tokens: number };
}

const RUNS = 5;
/** Of an operation in each run; where there are fewer questions of a kind, some are asked again. */
const CALLS = 20;
const WARM_UP_CALLS = 3;
const AT_ONCE = 16;
const CALLS_AT_ONCE = 128;
const WRITES_OF_EACH = 50;
/** After it a server is stopped and started again for the next cell. */
const CELL_MS = 60_000;
/** Answers whose size is taken: their tokens take longer to count than most calls. */
const SIZED_ANSWERS = 5;
/** The rest is estimated by the share of what was counted: some answers hold everything that is stored. */
const COUNTED_CHARS = 200_000;
/** No corpus is larger, so these facts are nowhere yet. */
const FIRST_NEW = 1_000_000;
/** Of a rare word that the first update brings. No save comes so far. */
const UPDATED = 2_000_000;

export function measurePeer(peer: Peer, size: number): Promise<PeerFigures> {
  return withTemporaryFolder(async (folder) => {
    progress(`${peer.name}: filling in ${size} memories`);
    const corpus = corpusOf(size);
    const opened = await peer.open(folder, corpus.facts);
    try {
      return await measureOpened(peer, corpus, opened);
    } finally {
      await opened.close();
    }
  });
}

/** One client, replaced after each cell that was stopped. */
interface Session {
  client: Client;
  deadline: number;
}

async function measureOpened(
  peer: Peer,
  { facts, questions }: Corpus,
  opened: OpenPeer,
): Promise<PeerFigures> {
  const { operations } = peer;
  const session: Session = { client: await opened.connect(), deadline: 0 };
  let next = FIRST_NEW;
  const newFact = () => ({ number: next, content: factOf(next++) });

  const within = async <T>(what: string, work: () => Promise<T>): Promise<T | Unfinished> => {
    progress(`${peer.name}, ${facts.length}: ${what}`);
    session.deadline = performance.now() + CELL_MS;
    try {
      return await work();
    } catch (error) {
      // Programs of others may end in the middle of an hour's run; the cell then says so, and the next one begins with a new process.
      if (error instanceof NoEffect) return "no effect";
      const isLate = error instanceof Stopped;
      if (!isLate) progress(`${peer.name}, ${facts.length}: ${what} failed: ${String(error)}`);
      await session.client.close();
      session.client = await opened.connect();
      return isLate ? "stopped" : "failed";
    }
  };
  /** @param hasEffect asked once, after the first call, which is not timed */
  const cell = (
    what: string,
    calls: (at: number) => readonly ToolCall[],
    hasEffect: (answers: readonly CallToolResult[]) => boolean | Promise<boolean> = () => true,
  ) =>
    within(what, () =>
      measureCell(operations.isRefused, async (at) => {
        const timed = await callAll(session, calls(at));
        if (at === 0 && !(await hasEffect(timed.answers))) throw new NoEffect();
        return timed;
      }),
    );
  const isThere = async (word: string, key: string | undefined) => {
    const question = operations.lookUp?.(word) ?? operations.search(word);
    const answer = await call(session, question);
    if (operations.isRefused(answer)) throw new Error(textOf(answer));
    return isFound(peer, answer, key);
  };
  const orLacking = <T>(tool: T | undefined, measure: (tool: T) => Promise<Cell | Unfinished>) =>
    tool === undefined ? Promise.resolve("lacking" as const) : measure(tool);

  const tools = await toolsOf(opened);
  const ping = await within("ping", () =>
    measureCell(operations.isRefused, () => timedPing(session)),
  );
  const searches = new Map<QuestionKind, Cell | Missing>();
  const found = new Map<QuestionKind, Found | Missing>();
  for (const kind of QUESTION_KINDS) {
    const asked = questions.filter((question) => question.kind === kind);
    const searchFor = (at: number) => operations.search(asked[at % asked.length]?.query ?? "");
    searches.set(kind, await cell(`search: ${kind}`, (at) => [searchFor(at)]));
    const share = await within(`what is found: ${kind}`, async () => {
      let hits = 0;
      for (const { query, answer } of asked) {
        const result = await call(session, operations.search(query));
        if (isFound(peer, result, opened.keys[answer])) hits += 1;
      }
      return { hits, of: asked.length };
    });
    found.set(kind, share);
  }
  const keyAt = (at: number) => opened.keys.at(at % opened.keys.length) ?? "";
  const { list, get, update, delete: remove } = operations;
  const measureSaves = () => {
    const first = newFact();
    return cell(
      "save",
      (at) => [operations.save(at === 0 ? first : newFact())],
      ([answer]) =>
        answer !== undefined &&
        isThere(codeNameOf(first.number), operations.savedKey(first, answer)),
    );
  };
  const cells = {
    ping,
    "search: rare word": searches.get("rare word") ?? "lacking",
    "search: two words, as stored": searches.get("two words, as stored") ?? "lacking",
    "search: two words, reversed": searches.get("two words, reversed") ?? "lacking",
    "search: natural question": searches.get("natural question") ?? "lacking",
    list: await orLacking(list, (list) =>
      cell(
        "list",
        () => [list()],
        ([answer]) => opened.keys.some((key) => isNamed(answer, key)),
      ),
    ),
    get: await orLacking(get, (get) =>
      cell(
        "get",
        (at) => [get(keyAt(at))],
        ([answer]) => isNamed(answer, keyAt(0)),
      ),
    ),
    // Each fact once: there are as many as calls, and one server must be told what was there before.
    update: await orLacking(update, (update) =>
      cell(
        "update",
        (at) => {
          const before = facts[at % facts.length]?.content ?? "";
          return update(keyAt(at), before, `${before} Changed to ${codeNameOf(UPDATED + at)}.`);
        },
        () => isThere(codeNameOf(UPDATED), keyAt(0)),
      ),
    ),
    save: await measureSaves(),
  };

  const atOnce = (what: string, toolCall: (at: number) => ToolCall) =>
    within(`${AT_ONCE} at once: ${what}`, () =>
      measureAtOnce(operations.isRefused, (at) => call(session, toolCall(at))),
    );
  const searchesAtOnce = await atOnce("search", (at) =>
    operations.search(questions[at % questions.length]?.query ?? ""),
  );
  const savesAtOnce = await atOnce("save", () => operations.save(newFact()));
  // A third process could hold the lock of a database that it was driven into a corner with.
  await session.client.close();
  const twoClients = await within("two clients write", () =>
    writeByTwo(peer, opened, { session, newFact }),
  );
  session.client = await opened.connect();
  // Last, and from the end.
  const deleted = await orLacking(remove, (remove) =>
    cell(
      "delete",
      (at) => [remove(keyAt(-1 - at))],
      async () => !(await isThere(codeNameOf(facts.length - 1), keyAt(-1))),
    ),
  );
  await session.client.close();
  const { name, transport, storage, filledBy } = peer;
  return {
    peer: name,
    version: peer.version(),
    transport,
    storage,
    filledBy,
    size: facts.length,
    cells: { ...cells, delete: deleted },
    found: {
      "rare word": found.get("rare word") ?? "lacking",
      "two words, as stored": found.get("two words, as stored") ?? "lacking",
      "two words, reversed": found.get("two words, reversed") ?? "lacking",
      "natural question": found.get("natural question") ?? "lacking",
    },
    searchesAtOnce,
    savesAtOnce,
    twoClients,
    tools,
  };
}

/** The time of a cell is over. */
class Stopped extends Error {}
/** Nothing came of the first call of a cell, whatever its answer says. */
class NoEffect extends Error {}

async function call({ client, deadline }: Session, toolCall: ToolCall): Promise<CallToolResult> {
  const timeout = deadline - performance.now();
  if (timeout <= 0) throw new Stopped();
  try {
    return await client.callTool(toolCall, { timeout });
  } catch (error) {
    if (performance.now() >= deadline) throw new Stopped();
    throw error;
  }
}

interface Timed {
  readonly ms: number;
  readonly answers: readonly CallToolResult[];
}

async function callAll(session: Session, calls: readonly ToolCall[]): Promise<Timed> {
  const answers: CallToolResult[] = [];
  const began = performance.now();
  for (const toolCall of calls) answers.push(await call(session, toolCall));
  return { ms: performance.now() - began, answers };
}

async function timedPing({ client }: Session): Promise<Timed> {
  const began = performance.now();
  await client.ping();
  return { ms: performance.now() - began, answers: [] };
}

/** @param perform is given the number of the call, over all runs */
async function measureCell(
  isRefused: Operations["isRefused"],
  perform: (at: number) => Promise<Timed>,
): Promise<Cell> {
  const runs: number[][] = [];
  const answers: CallToolResult[] = [];
  let refused = 0;
  let at = 0;
  for (let run = 0; run < RUNS; run++) {
    const times: number[] = [];
    for (let place = 0; place < CALLS; place++) {
      const timed = await perform(at++);
      refused += timed.answers.filter(isRefused).length;
      if (answers.length < SIZED_ANSWERS) answers.push(...timed.answers);
      // The first calls of a server compile it.
      if (run > 0 || place >= WARM_UP_CALLS) times.push(timed.ms);
    }
    runs.push(times);
  }
  const median = (values: readonly number[]) => percentile(values, 0.5);
  return {
    p50: median(runs.map((times) => percentile(times, 0.5))),
    p95: median(runs.map((times) => percentile(times, 0.95))),
    bytes: median(answers.map((answer) => Buffer.byteLength(JSON.stringify(answer)))),
    tokens: median(answers.map((answer) => tokensOf(textOf(answer)))),
    refused,
  };
}

/** @param perform is given the number of the call, over all runs */
async function measureAtOnce(
  isRefused: Operations["isRefused"],
  perform: (at: number) => Promise<CallToolResult>,
): Promise<AtOnce> {
  const rates: number[] = [];
  let refused = 0;
  for (let run = 0; run < RUNS; run++) {
    const numbers = Array.from({ length: CALLS_AT_ONCE }, (_, at) => run * CALLS_AT_ONCE + at);
    const refusedBefore = refused;
    const began = performance.now();
    await inParallel(AT_ONCE, numbers, async (at) => {
      if (isRefused(await perform(at))) refused += 1;
    });
    const done = CALLS_AT_ONCE - (refused - refusedBefore);
    rates.push((1_000 * done) / (performance.now() - began));
  }
  return { perSecond: percentile(rates, 0.5), refused };
}

function isFound({ operations }: Peer, answer: CallToolResult, key: string | undefined): boolean {
  return !operations.isRefused(answer) && key !== undefined && operations.holds(answer, key);
}

function isNamed(answer: CallToolResult | undefined, key: string): boolean {
  return answer !== undefined && textOf(answer).includes(key);
}

/** Each client saves facts of its own, one after the other; what was acknowledged is then searched for by its rare word, by a third. */
async function writeByTwo(
  { operations }: Peer,
  opened: OpenPeer,
  { session, newFact }: { readonly session: Session; readonly newFact: () => Fact },
): Promise<TwoClients> {
  const saved: { readonly key: string; readonly name: string }[] = [];
  let refused = 0;
  const clients = await Promise.all([opened.connect(), opened.connect()]);
  try {
    const write = async (client: Client): Promise<void> => {
      for (let count = 0; count < WRITES_OF_EACH; count++) {
        const fact = newFact();
        const answer = await call({ ...session, client }, operations.save(fact));
        if (operations.isRefused(answer)) refused += 1;
        else saved.push({ key: operations.savedKey(fact, answer), name: codeNameOf(fact.number) });
      }
    };
    await Promise.all(clients.map(write));
  } finally {
    for (const client of clients) await client.close();
  }
  const reader = await opened.connect();
  try {
    let lost = 0;
    for (const { key, name } of saved) {
      const question = operations.lookUp?.(name) ?? operations.search(name);
      const answer = await call({ ...session, client: reader }, question);
      if (!operations.holds(answer, key)) lost += 1;
    }
    return { acknowledged: saved.length, lost, refused };
  } finally {
    await reader.close();
  }
}

/** By a client of its own: one that knows the tools checks each answer against their schemas. */
async function toolsOf(opened: OpenPeer): Promise<PeerFigures["tools"]> {
  const client = await opened.connect();
  const { tools } = await client.listTools();
  await client.close();
  const told = tools.map(({ name, description, inputSchema }) => ({
    name,
    description,
    inputSchema,
  }));
  return { count: tools.length, tokens: tokensOf(JSON.stringify(told)) };
}

function tokensOf(text: string): number {
  const counted = text.slice(0, COUNTED_CHARS);
  const tokens = encode(counted).length;
  return Math.round((tokens * text.length) / Math.max(1, counted.length));
}
