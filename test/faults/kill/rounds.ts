/**
 * Rounds of killing a server under load. In each, clients write the same few memories at once and new ones beside them, until SIGKILL at a
 * moment that the seed tells. After the restart the clients look what became of calls that got no answer, some by making them again, and
 * then everything is compared: acknowledged writes with what is there, rows with each other, and what was asked and answered with what
 * one server, doing one call after the other, could have answered.
 */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { pick, seededRandom, type Random } from "../../support/random.ts";
import { linearization, type Timed } from "../support/linearizable.ts";
import { memoryModel, SAVE, type MemoryCall, type MemoryWish } from "../support/memory-model.ts";
import { openClient, shownOf, type Client, type Recorded } from "./client.ts";
import { startKilledServer, type KilledServer } from "./server.ts";

export interface Totals {
  rounds: number;
  calls: number;
  /** Acknowledged calls that changed something. */
  writes: number;
  /** Writers that were told of another one. */
  conflicts: number;
  /** Acknowledged writes of one memory, in pairs that were under way at once. */
  overlaps: number;
  unanswered: number;
  /** Unanswered calls that changed something, in the order that explains the others: where several do, in one of them. */
  happened: number;
  histories: number;
  /** What must not be: nothing else ends a round as failed. */
  readonly problems: string[];
}

interface RunOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly onRound?: (round: number, totals: Totals) => void;
}

const CLIENTS = 6;
/** Which all clients write; the others are their own. */
const SHARED_MEMORIES = 3;
/** Some thirty calls for each client where the machine is idle. */
const KILL_WITHIN_MS = 1_000;
/** Acknowledged, before the moments at which a round may kill; each fourth round may from its first answer on. */
const WRITES_BEFORE_KILL = 20;
/** Of all rounds on average. */
const LEAST_WRITES = 10;
/** Arbitrary: an account of a round is checked within a second. */
const CHECK_TIMEOUT_MS = 120_000;
const PAGE = 100;

export async function runKillRounds({ rounds, seed, onRound }: RunOptions): Promise<Totals> {
  const totals: Totals = {
    rounds: 0,
    calls: 0,
    writes: 0,
    conflicts: 0,
    overlaps: 0,
    unanswered: 0,
    happened: 0,
    histories: 0,
    problems: [],
  };
  const server = await startKilledServer();
  try {
    const settled: Settled[] = [];
    for (let round = 1; round <= rounds; round++) {
      const random = seededRandom(seed * 100_003 + round);
      const name = `round ${round}`;
      const tell = (problem: string) => totals.problems.push(`seed ${seed}, ${name}: ${problem}`);
      const writesBeforeKill = round % 4 === 0 ? 0 : WRITES_BEFORE_KILL;
      const account = await killOnce(server, { name, random, totals, tell, writesBeforeKill });
      if (settled.length > 0) await compareSettled(server, pick(settled, random), tell);
      settled.push(account);
      totals.rounds = round;
      onRound?.(round, totals);
    }
    const tell = (problem: string) => totals.problems.push(`seed ${seed}, at the end: ${problem}`);
    // Nothing was killed since the last one was read.
    for (const earlier of settled.slice(0, -1)) await compareSettled(server, earlier, tell);
  } finally {
    await server.remove();
  }
  return totals;
}

/** What rounds lack that show anything; empty: nothing. */
export function lacksOf({ rounds, writes, conflicts, overlaps, unanswered }: Totals): string[] {
  return [
    ...(writes > LEAST_WRITES * rounds ? [] : [`only ${writes} acknowledged writes`]),
    ...(conflicts > 0 ? [] : ["no conflict"]),
    ...(overlaps > 0 ? [] : ["no two writes of one memory at once"]),
    ...(unanswered > 0 ? [] : ["no call without an answer"]),
  ];
}

/** An account that nobody writes any more. */
interface Settled {
  readonly token: string;
  /** As the answers of its lists had it. */
  readonly memories: string;
}

interface Round {
  readonly name: string;
  readonly random: Random;
  readonly totals: Totals;
  readonly tell: (problem: string) => void;
  /** Acknowledged ones; 0: one answer is enough. */
  readonly writesBeforeKill: number;
}

async function killOnce(server: KilledServer, round: Round): Promise<Settled> {
  const { name, random, totals, tell } = round;
  let isGone = false;
  const open = async (number: number): Promise<Client> => {
    const token = await server.token(name, `client ${number}`);
    const surface = number % 2 === 0 ? "mcp" : "api";
    return openClient(server, { token, surface, isGone: () => isGone });
  };
  const observer = await open(0);
  const others = Array.from({ length: CLIENTS - 1 }, (_, number) => open(number + 1));
  const clients = [observer, ...(await Promise.all(others))];
  const calls: Recorded[] = [];
  const isBusy = Promise.withResolvers<void>();
  const load = clients.map((client, number) =>
    writeUntilGone(client, {
      calls,
      random: seededRandom(random(0x4000_0000) + number),
      name: `${name}, client ${number}`,
      isGone: () => isGone,
      onAnswer: () => {
        if (isEnough(calls, round)) isBusy.resolve();
      },
    }),
  );
  const working = Promise.all(load);
  await Promise.race([isBusy.promise, working]);
  await Promise.race([sleep(random(KILL_WITHIN_MS)), working]);
  isGone = true;
  await server.kill();
  await working;
  await server.start();
  isGone = false;

  const cut = calls.filter(({ answer }) => answer === null);
  for (const call of cut) {
    // The others are found out by looking, and some calls were made again by nobody.
    if (random(2) === 0 && (call.memory !== null || call.key !== null)) {
      calls.push(await observer.call(call.memory, call.wish, call.key ?? undefined));
    }
  }
  const memories = await listAll(server, observer.token);
  nameMemories(calls, memories);
  const reads = memories.map(({ id }) => observer.call(id, { do: "read" }));
  calls.push(...(await Promise.all(reads)));

  totals.calls += calls.length;
  totals.unanswered += cut.length;
  await compare(server, { observer, calls, memories, cut }, round);
  const check = await verified(server, observer.token);
  if (check !== null) tell(`the integrity check found ${check}`);
  return { token: observer.token, memories: JSON.stringify(memories) };
}

async function writeUntilGone(
  client: Client,
  {
    calls,
    random,
    name,
    isGone,
    onAnswer,
  }: {
    readonly calls: Recorded[];
    readonly random: Random;
    readonly name: string;
    readonly isGone: () => boolean;
    readonly onAnswer: () => void;
  },
): Promise<void> {
  const own: string[] = [];
  for (let count = 1; !isGone(); count++) {
    const shared = [...new Set(calls.flatMap(({ memory }) => memory ?? []))].slice(
      0,
      SHARED_MEMORIES,
    );
    const isNew = shared.length < SHARED_MEMORIES || random(6) === 0;
    const memory = isNew ? null : pick(random(4) === 0 ? [...shared, ...own] : shared, random);
    const text = `${name} writes number ${count}`;
    const wish = memory === null ? ({ do: "save", content: text } as const) : wishFor(memory, text);
    const recorded = await client.call(memory, wish, memory === null ? text : undefined);
    calls.push(recorded);
    if (recorded.answer === null) return;
    onAnswer();
    if (memory === null && recorded.memory !== null) own.push(recorded.memory);
  }

  function wishFor(memory: string, text: string): MemoryWish {
    const known = calls.filter((call) => call.memory === memory);
    const versions = known.flatMap(({ answer }) =>
      answer !== null && "shown" in answer && answer.shown !== null ? [answer.shown.version] : [],
    );
    const operations = known.flatMap(({ answer }) =>
      answer?.outcome === "done" && answer.operation !== null ? [answer.operation] : [],
    );
    const ifVersion = { ifVersion: Math.max(...versions) };
    switch (random(10)) {
      case 0:
      case 1:
      case 2:
        return { do: "update", content: text, ...ifVersion };
      case 3:
        return { do: "update", content: text };
      case 4:
        return { do: "delete", ...ifVersion };
      case 5:
        return { do: "update", status: "active" };
      case 6:
      case 7: {
        const recent = operations.slice(-4);
        return { do: "undo", operation: pick(recent, random) };
      }
      default:
        return { do: "read" };
    }
  }
}

/** The first round goes on until two writers have met, so that no run passes in which none did. */
function isEnough(calls: readonly Recorded[], { totals, writesBeforeKill }: Round): boolean {
  if (writesBeforeKill === 0) return true;
  const writes = calls.filter(isWrite);
  return (
    writes.length >= writesBeforeKill &&
    (totals.conflicts > 0 || calls.some(({ answer }) => answer?.outcome === "conflict")) &&
    (totals.overlaps > 0 || overlapsIn(writes) > 0)
  );
}

/** Acknowledged, and it changed something. */
function isWrite({ answer }: Recorded): boolean {
  return answer?.outcome === "done" && answer.operation !== null;
}

interface Listed {
  readonly id: string;
  readonly version: number;
  readonly content: string;
  readonly status: string;
}

/** A save without an answer is known by its text, which nobody changed: its id was nobody's. */
function nameMemories(calls: readonly Recorded[], memories: readonly Listed[]): void {
  for (const call of calls) {
    const { wish } = call;
    if (call.memory !== null || wish.do !== "save") continue;
    const again = calls.find(({ key, memory }) => key === call.key && memory !== null);
    const found = memories.find(({ content }) => content === wish.content);
    call.memory = again?.memory ?? found?.id ?? null;
  }
}

async function compare(
  server: KilledServer,
  {
    observer,
    calls,
    memories,
    cut,
  }: {
    readonly observer: Client;
    readonly calls: readonly Recorded[];
    readonly memories: readonly Listed[];
    readonly cut: readonly Recorded[];
  },
  { totals, tell }: Round,
): Promise<void> {
  const there = new Set(memories.map(({ id }) => id));
  const asked = new Set(calls.flatMap(({ memory }) => memory ?? []));
  for (const id of asked) if (!there.has(id)) tell(`${id} is not there`);
  for (const id of there) if (!asked.has(id)) tell(`${id} is there, and nobody saved it`);
  const read = [...there].map(
    async (id) => [id, await statesOf(server, observer.token, id)] as const,
  );
  for (const [id, states] of await Promise.all(read)) {
    const own = calls.filter(({ memory }) => memory === id);
    totals.conflicts += own.filter(({ answer }) => answer?.outcome === "conflict").length;
    totals.overlaps += overlapsIn(own.filter(isWrite));
    const saves = savesIn(own);
    if (saves.size > 1) tell(`${id} was saved by more than one operation: ${[...saves].join()}`);
    const newest = Math.max(...states.keys());
    for (let version = Math.min(...states.keys()); version < newest; version++) {
      if (!states.has(version)) tell(`version ${version} of ${id} is missing`);
    }
    for (const { answer, wish } of own) {
      if (answer?.outcome !== "done" || answer.operation === null) continue;
      totals.writes += 1;
      // A save that is asked for again shows what has become of it.
      if (answer.shown === null || wish.do === "save") continue;
      const { version, content } = answer.shown;
      const state = states.get(version);
      if (state !== undefined && state !== content) tell(`version ${version} of ${id} is lost`);
      if (version > newest) tell(`version ${version} of ${id} is not there`);
    }
    const history = historyOf(own);
    const order = linearization(history, memoryModel);
    totals.histories += 1;
    if (order === null)
      tell(`what was asked of ${id} cannot have been answered so:\n${told(history)}`);
    totals.happened += changesIn(history, order ?? []).filter((at) => {
      const call = own[at];
      return call !== undefined && cut.includes(call);
    }).length;
  }
}

/** Pairs of writes of one memory that were under way at once. A client waits for each answer, so they are of two. */
function overlapsIn(writes: readonly Recorded[]): number {
  return writes.reduce((sum, one, at) => {
    const met = writes
      .slice(at + 1)
      .filter(
        ({ memory, start, end }) => memory === one.memory && start < one.end && one.start < end,
      );
    return sum + met.length;
  }, 0);
}

/** The operations by which clients were told that they had saved it, once or again. */
function savesIn(own: readonly Recorded[]): Set<string> {
  return new Set(
    own.flatMap(({ wish, answer }) =>
      wish.do === "save" && answer?.outcome === "done" ? (answer.operation ?? []) : [],
    ),
  );
}

/** Of an order in which calls can have happened those that changed something. */
function changesIn(history: readonly Timed<MemoryCall>[], order: readonly number[]): number[] {
  let state = memoryModel.initial;
  return order.filter((at) => {
    const timed = history[at];
    const next = timed === undefined ? null : memoryModel.apply(state, timed.call);
    const isChanged = next !== null && next.length > state.length;
    state = next ?? state;
    return isChanged;
  });
}

/** In the model's words, where the operation of the save has one name. */
function historyOf(own: readonly Recorded[]): Timed<MemoryCall>[] {
  const saves = savesIn(own);
  const named = (operation: string) => (saves.has(operation) ? SAVE : operation);
  return own.map(({ wish, answer, start, end }, number) => ({
    start,
    end,
    isAnswered: answer !== null,
    call: {
      id: String(number),
      wish: wish.do === "undo" ? { ...wish, operation: named(wish.operation) } : wish,
      answer:
        answer?.outcome === "done" && answer.operation !== null
          ? { ...answer, operation: named(answer.operation) }
          : answer,
    },
  }));
}

function told(history: readonly Timed<MemoryCall>[]): string {
  return history
    .toSorted((a, b) => a.start - b.start)
    .map(
      ({ call, start, end }) => `  ${start.toFixed(1)}–${end.toFixed(1)} ${JSON.stringify(call)}`,
    )
    .join("\n");
}

/** Texts by version, as far as a history goes. */
async function statesOf(
  server: KilledServer,
  token: string,
  id: string,
): Promise<Map<number, string>> {
  const { memory, versions } = await getJson(
    server,
    token,
    `/api/memories/${id}?include_history=true`,
  );
  return new Map(
    [memory, ...versions].map((state: Listed) => [state.version, state.content] as const),
  );
}

/** What the account has, in use or in the trash. */
async function listAll(server: KilledServer, token: string): Promise<Listed[]> {
  const found: Listed[] = [];
  for (const status of ["active", "pending", "trashed"]) {
    let cursor: string | undefined;
    do {
      const at = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await getJson(
        server,
        token,
        `/api/memories?status=${status}&limit=${PAGE}&order=oldest${at}`,
      );
      found.push(
        ...page["memories"].map((memory: Listed) => ({ id: memory.id, ...shownOf({ ...memory }) })),
      );
      cursor = page["next_cursor"];
    } while (cursor !== undefined);
  }
  return found;
}

async function compareSettled(
  server: KilledServer,
  { token, memories }: Settled,
  tell: (problem: string) => void,
): Promise<void> {
  const now = JSON.stringify(await listAll(server, token));
  if (now !== memories) tell(`an account that nobody wrote has changed:\n${memories}\n${now}`);
}

/** Null: all rows agree, and nothing had to be repaired. */
async function verified(server: KilledServer, token: string): Promise<string | null> {
  for (const deadline = performance.now() + CHECK_TIMEOUT_MS; performance.now() < deadline;) {
    const { check } = await getJson(server, token, "/api/verify", "POST");
    if (check.state !== "finished") continue;
    const { repaired, left, named } = check;
    const found = { ...repaired, ...left };
    return Object.keys(found).length === 0 ? null : JSON.stringify({ found, named });
  }
  throw new Error("The integrity check does not end");
}

// Answers are read key by key.
async function getJson(
  server: KilledServer,
  token: string,
  path: string,
  method = "GET",
): Promise<Record<string, any>> {
  const { status, text } = await server.ask(method, path, { token });
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  return JSON.parse(text) as Record<string, any>;
}

/** A seed for whoever gives none. */
export function newSeed(): number {
  return Math.trunc(performance.timeOrigin) % 1_000_000;
}
