/**
 * `npm run bench -- peers`: Cofio and what a user would install instead, by the same MCP client, the same facts and the same operations.
 */
import { parseArgs } from "node:util";
import { printMarkdown } from "../support/markdown.ts";
import { printPlace, progress, thisPlace, writeJson } from "../support/report.ts";
import { sizesOf } from "../support/sizes.ts";
import { cofioByOAuth, cofioByToken } from "./cofio-peers.ts";
import { QUESTION_KINDS, type QuestionKind } from "./facts.ts";
import { installPeers } from "./install.ts";
import {
  measurePeer,
  OPERATIONS,
  type AtOnce,
  type Missing,
  type OperationName,
  type PeerFigures,
} from "./measure.ts";
import type { Peer } from "./peer.ts";
import { stdioPeers } from "./stdio-peers.ts";

const SIZES = "100,1000,10000,100000";
/** What stands in the head of a table of what is found. */
const FOUND: Readonly<Record<QuestionKind, string>> = {
  "rare word": "found: rare word",
  "two words, as stored": "two words, as stored",
  "two words, reversed": "two words, reversed",
  "natural question": "natural question, of Cofio's own regression tests",
};
const everyone: readonly Peer[] = [cofioByToken, cofioByOAuth, ...stdioPeers];

/** `--sizes 100,1000`; `--only NAME`: those whose name holds it, Cofio by a token always; `--json FILE`: the report once more. */
export async function measurePeers(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      sizes: { type: "string", default: SIZES },
      only: { type: "string", default: "" },
      json: { type: "string" },
    },
  });
  const chosen = everyone.filter(
    (peer) => peer === cofioByToken || peer.name.includes(values.only),
  );
  installPeers();
  const figures: PeerFigures[] = [];
  for (const size of sizesOf(values.sizes, { least: 100 })) {
    for (const peer of chosen) {
      try {
        figures.push(await measurePeer(peer, size));
      } catch (error) {
        // As one that cannot be filled in: the others are measured all the same.
        console.error(`${peer.name}, ${size} is left out:`, error);
        process.exitCode = 1;
        continue;
      }
      // What is known so far outlives a run that is broken off.
      if (values.json !== undefined) {
        writeJson(values.json, { benchmark: "peers", ...thisPlace(), figures });
      }
      progress(`${peer.name}, ${size}: done`);
    }
  }
  printPlace(thisPlace());
  const [first] = figures;
  printMarkdown(
    "What was measured",
    ["", "version", "reached by", "keeps in", "filled by"],
    figures
      .filter(({ size }) => size === first?.size)
      .map((one) => [one.peer, one.version, one.transport, one.storage, one.filledBy]),
  );
  for (const size of new Set(figures.map((one) => one.size))) {
    print(
      size,
      figures.filter((one) => one.size === size),
    );
  }
}

function print(size: number, figures: readonly PeerFigures[]): void {
  const cofio = figures.find(({ peer }) => peer === cofioByToken.name);
  const rows = figures.flatMap((one): Row[] => [one, ...(isCofio(one) ? [lessPing(one)] : [])]);
  const operations = OPERATIONS.filter((name) => name !== "ping");
  printMarkdown(
    `${size} memories: how many times as long as Cofio by a token (p50)`,
    ["", ...operations],
    rows.map((one) => [
      one.peer,
      ...operations.map((name) =>
        both(one.cells[name], cofio?.cells[name] ?? "lacking", (own, its) =>
          ratio(own.p50 / its.p50),
        ),
      ),
    ]),
  );
  printMarkdown(
    `${size} memories: p50 / p95 ms`,
    ["", ...OPERATIONS],
    rows.map((one) => [
      one.peer,
      ...OPERATIONS.map((name) =>
        shown(one.cells[name], ({ p50, p95 }) =>
          p95 === undefined ? ms(p50) : `${ms(p50)} / ${ms(p95)}`,
        ),
      ),
    ]),
  );
  printMarkdown(
    `${size} memories: found, sixteen calls at once, two clients`,
    [
      "",
      ...QUESTION_KINDS.map((kind) => FOUND[kind]),
      "searches/s",
      "acknowledged saves/s",
      "lost of acknowledged writes",
      "refused writes",
    ],
    figures.map(({ peer, found, searchesAtOnce, savesAtOnce, twoClients }) => [
      peer,
      ...QUESTION_KINDS.map((kind) => shown(found[kind], ({ hits, of }) => `${hits} of ${of}`)),
      shown(searchesAtOnce, rateOf),
      shown(savesAtOnce, rateOf),
      shown(twoClients, ({ lost, acknowledged }) => `${lost} of ${acknowledged}`),
      shown(twoClients, ({ refused }) => String(refused)),
    ]),
  );
  printMarkdown(
    `${size} memories: an answer's bytes as JSON / tokens of its text (o200k_base: an estimate for other models)`,
    ["", ...operations, "the tools themselves"],
    figures.map(({ peer, cells, tools }) => [
      peer,
      ...operations.map((name) =>
        shown(cells[name], ({ bytes, tokens }) => `${bytes} / ${tokens}`),
      ),
      `${tools.count}: ${tools.tokens} tokens`,
    ]),
  );
  const refusals = figures.flatMap(({ peer, cells }) =>
    OPERATIONS.flatMap((name) => {
      const cell = cells[name];
      return isMissing(cell) || cell.refused === 0 ? [] : [[peer, name, String(cell.refused)]];
    }),
  );
  if (refusals.length > 0) {
    printMarkdown("Calls that were answered by an error", ["", "operation", "calls"], refusals);
  }
}

function rateOf({ perSecond, refused }: AtOnce): string {
  return perSecond.toFixed(0) + (refused === 0 ? "" : `, ${refused} refused`);
}

function isCofio({ transport }: PeerFigures): boolean {
  return transport === "HTTP";
}

interface Row {
  readonly peer: string;
  readonly cells: Readonly<Record<OperationName, Times | Missing>>;
}

/** Milliseconds. The difference of two p95 is none of the differences. */
interface Times {
  readonly p50: number;
  readonly p95?: number;
}

/** Without what a ping takes too: HTTP, the sign-in, and opening the account, which is one D1 round trip. */
function lessPing({ peer, cells }: PeerFigures): Row {
  const { ping } = cells;
  const less = (cell: Times | Missing) =>
    isMissing(cell) ? cell : isMissing(ping) ? ping : { p50: cell.p50 - ping.p50 };
  return {
    peer: `${peer}, less a ping`,
    cells: {
      ping: "lacking",
      "search: rare word": less(cells["search: rare word"]),
      "search: two words, as stored": less(cells["search: two words, as stored"]),
      "search: two words, reversed": less(cells["search: two words, reversed"]),
      "search: natural question": less(cells["search: natural question"]),
      list: less(cells.list),
      get: less(cells.get),
      update: less(cells.update),
      save: less(cells.save),
      delete: less(cells.delete),
    },
  };
}

function shown<T>(value: T | Missing, show: (value: T) => string): string {
  return isMissing(value) ? (value === "lacking" ? "–" : value) : show(value);
}

function both<T>(own: T | Missing, its: T | Missing, show: (own: T, its: T) => string): string {
  return shown(own, (own) => (isMissing(its) ? "" : show(own, its)));
}

function isMissing(value: unknown): value is Missing {
  return value === "stopped" || value === "failed" || value === "no effect" || value === "lacking";
}

function ratio(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)}×`;
}

function ms(value: number): string {
  return value.toFixed(value < 10 ? 2 : 0);
}
