/** Makes the local folder and a deployment alike. Stopped in the middle, the same command goes on. */
import { createHash } from "node:crypto";
import { constants } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import type { SyncBase } from "../../src/transfer/sync-pairs.ts";
import {
  sync,
  type KindReport,
  type LeftSyncItem,
  type SideName,
  type SyncProgress,
  type SyncReport,
} from "../../src/transfer/sync.ts";
import { readArguments, WrongUse } from "./arguments.ts";
import type { Command } from "./command.ts";
import { END_SIGNALS, type EndSignal } from "./end-signals.ts";
import { openFolder, folderOf, parseJson, readIfThere, writePrivately } from "./folder.ts";
import { printable } from "./printable.ts";
import { keepHeapSmall } from "./small-heap.ts";
import { jsonOf, openTarget, reach, type Target } from "./target.ts";
import { clock, openProgress, print, printJson, warn, type Progress } from "./terminal.ts";

export const syncFolder: Command = {
  usage: `cofio sync URL
  Makes the local memory and a deployment alike: what is new on either side is copied to the other, with all versions and the trash.
  Changed on both sides, the later one stays, and the other text is kept as an earlier version on both; the report names each.
  Doing it again changes nothing, and after Ctrl+C the same command goes on. What is gone from one side's trash for good goes to
  the other's trash, from where it can be restored for 30 days; a quarter of a side or more only with --trash-more.
  Rules, tokens and the list of operations stay with each side.
  Where something had to be left, which the report names, the exit code is 1.

  --dry-run         only tell what would be done
  --trash-more      also put in the trash what is gone from the other side where that is much
  --db-path FOLDER  the local memory (default: COFIO_DB_PATH, else ~/.cofio/memory)
  --token TOKEN     of the deployment, trusted, with data:export and data:import; better in COFIO_TOKEN, where no other user sees it
  --json            the answer as JSON`,
  async run(argv) {
    const { values, positionals } = readArguments(argv, {
      "db-path": { type: "string" },
      token: { type: "string" },
      "dry-run": { type: "boolean", default: false },
      "trash-more": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    });
    const [url, ...others] = positionals;
    if (url === undefined) throw new WrongUse("Which deployment is it to be synced with?");
    if (others.length > 0) throw new WrongUse("One deployment at a time.");
    keepHeapSmall();
    const there = await openTarget({ url, token: values.token });
    const base = baseFile(openFolder(folderOf(values["db-path"])).path, there.name);
    const here = await openTarget({ "db-path": values["db-path"] });
    const sides: Readonly<Record<SideName, Target>> = { here, there };
    const progress = openProgress();
    const stop = stopOnSignals();
    try {
      const report = await sync({
        call: (side, path, body) => call(sides[side], path, body),
        base: base.read(),
        keepBase: base.write,
        dryRun: values["dry-run"],
        trashMore: values["trash-more"],
        onProgress: (now) => show(progress, now),
        onDelay: (nextTry) => progress.show(null, `No answer; trying again at ${clock(nextTry)}`),
        signal: stop.signal,
        now: Date.now,
      });
      progress.end();
      if (values.json) printJson(report);
      else print(reportOf(report, sides));
      return report.left.length + report.withheld.length === 0 ? 0 : 1;
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      progress.end();
      warn("Stopped. What was copied stays; the same command goes on.");
      return error.exitCode;
    } finally {
      stop.end();
      progress.end();
      here.close();
      there.close();
    }
  },
};

/** The person or the system ended it. */
class Stopped extends Error {
  /** As a shell tells which signal it was. */
  readonly exitCode: number;

  constructor(signal: EndSignal) {
    super(`Stopped by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** The request under way is answered first. A second signal ends the program as usual. */
function stopOnSignals(): { readonly signal: AbortSignal; readonly end: () => void } {
  const controller = new AbortController();
  const stops = END_SIGNALS.map((name) => {
    const stop = () => controller.abort(new Stopped(name));
    process.once(name, stop);
    return { name, stop };
  });
  return {
    signal: controller.signal,
    end: () => {
      for (const { name, stop } of stops) process.off(name, stop);
    },
  };
}

async function call(target: Target, path: string, body: object | undefined) {
  const init: RequestInit =
    body === undefined
      ? {}
      : {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        };
  const response = await reach(target, `/api/sync${path}`, init);
  return { status: response.status, body: await jsonOf(response) };
}

const pairsSchema = z.array(z.tuple([z.string(), z.string(), z.string(), z.string()]));
const baseSchema = z.object({
  here: z.string(),
  there: z.string(),
  operations: z.object({ here: z.string().nullable(), there: z.string().nullable() }),
  memory: pairsSchema,
  conversation: pairsSchema,
});

/** What was alike after the sync before, for each deployment: ids and digests, no text. Without it a sync compares more, and trashes nothing. */
function baseFile(folder: string, origin: string) {
  const hash = createHash("sha256").update(origin).digest("hex").slice(0, 16);
  const file = join(folder, `sync-${hash}.json`);
  return {
    read(): SyncBase | null {
      const text = readIfThere(file);
      return text === null ? null : (baseSchema.safeParse(parseJson(text)).data ?? null);
    },
    write: (base: SyncBase) => writePrivately(file, JSON.stringify(base)),
  };
}

const NAMES = { memory: "memories", conversation: "conversations" } as const;

function show(progress: Progress, now: SyncProgress): void {
  const { phase, kind, done, total, resumeAt } = now;
  if (phase === "listing") {
    progress.show(null, `Looking at the ${NAMES[kind]} of both sides …`);
  } else if (phase === "waiting_quota" && resumeAt !== null) {
    progress.show(
      total === 0 ? null : done / total,
      `The server has written all that its plan allows for today; going on at ${clock(resumeAt)}`,
    );
  } else {
    progress.show(
      total === 0 ? 1 : done / total,
      `${done} of ${total} ${NAMES[kind]} that may differ`,
    );
  }
}

const REASONS: Readonly<Record<LeftSyncItem["reason"], string>> = {
  changed: "it was changed meanwhile; sync again",
  limit_reached: "there is no room for more memories; raise max_memories or delete some",
  place_taken: "another file stands at its path",
  unreadable: "it was written by a newer Cofio; update the older side",
  clash: "the sides have different things of one id",
};

function reportOf(report: SyncReport, sides: Readonly<Record<SideName, Target>>): string {
  const nameOf = (side: SideName) => sides[side].name;
  return [
    ...(report.dry_run ? ["Checked only: nothing was written."] : []),
    ...(["memory", "conversation"] as const).flatMap((kind) => linesOf(kind, report[kind], nameOf)),
    ...report.conflicts.map(
      ({ kind, id, name, kept }) =>
        `  conflict: ${kind} [${id}] ${printable(name)}: ${
          kept === "path"
            ? "another file took its path; it is in the trash"
            : `the text of ${nameOf(kept)} stays, the other one is an earlier version`
        }`,
    ),
    ...report.left.map(
      ({ kind, id, side, reason }) =>
        `  left: ${kind} [${id}] not written to ${nameOf(side)}: ${REASONS[reason]}`,
    ),
    ...report.withheld.map(
      ({ kind, side, items, of }) =>
        `  not trashed: ${items} of ${of} ${NAMES[kind]} of ${nameOf(side)}, which are gone for good from the other side; if that is meant, sync with --trash-more`,
    ),
    ...(["here", "there"] as const).flatMap((side) => {
      const operation = report.operations[side];
      return operation === null
        ? []
        : [`What was done to ${nameOf(side)} is undone as ${operation}`];
    }),
  ].join("\n");
}

function linesOf(
  kind: keyof typeof NAMES,
  { unchanged, ...counts }: KindReport,
  nameOf: (side: SideName) => string,
): string[] {
  return [
    `${NAMES[kind]}: ${unchanged} alike before`,
    ...(["here", "there"] as const).map((side) => {
      const { copied, changed, trashed } = counts[side];
      return `  to ${nameOf(side)}: ${copied} copied, ${changed} changed, ${trashed} trashed`;
    }),
  ];
}
