/**
 * `npm run bench -- lighthouse`: Lighthouse's scores of the built dashboard, for who is signed in, in the system's Chromium: in the profile
 * in which they signed up. Lighthouse itself (114 packages, 176 MB) is no dependency: npm fetches this version of it, once.
 */
import { execFile } from "node:child_process";
import { parseArgs, promisify } from "node:util";
import * as z from "zod";
import { root } from "../../scripts/wrangler.ts";
import { openBrowser } from "../../test/e2e/support/browser.ts";
import { seedAccount } from "../../test/e2e/support/seeded-account.ts";
import { freePort } from "../../test/e2e/support/server.ts";
import { startQuietServer } from "../support/cofio.ts";
import { percentile } from "../support/percentile.ts";
import { printPlace, printTable, progress, thisPlace, writeJson } from "../support/report.ts";
import { withTemporaryFolder } from "../support/temporary-folder.ts";

const LIGHTHOUSE = "lighthouse@13.5.0";
const RUNS = 5;
const PATHS = ["/", "/memories", "/conversations"];
/** Lighthouse's own: a middling phone on a slow network, and a desk computer. */
const DEVICES = ["phone", "desktop"] as const;
const CATEGORIES = ["performance", "accessibility", "best-practices"] as const;
/** A report is some megabytes of JSON. */
const MAX_REPORT_BYTES = 64 * 2 ** 20;
/** Arbitrary: a run takes some 30 s, and the first one may fetch Lighthouse before. */
const RUN_TIMEOUT_MS = 600_000;

/** `--runs N`: instead of five, of which the median counts. `--json FILE`: the report once more. */
export async function measureLighthouse(args: string[]): Promise<void> {
  const { runs, json } = parseArgs({
    args,
    options: { runs: { type: "string", default: String(RUNS) }, json: { type: "string" } },
  }).values;
  const rows = await withTemporaryFolder((folder) => runAll(folder, Number(runs)));
  print(rows, Number(runs));
  if (json !== undefined) writeJson(json, { benchmark: "lighthouse", ...thisPlace(), rows });
}

async function runAll(folder: string, runs: number): Promise<Row[]> {
  const port = await freePort();
  const [server, browser] = await Promise.all([
    startQuietServer(folder),
    openBrowser({ debuggingPort: port }),
  ]);
  const rows: Row[] = [];
  try {
    await browser.signUp(server, "Mair Llwyd");
    await seedAccount(server, browser.context);
    for (const path of PATHS) {
      for (const device of DEVICES) {
        const reports: Report[] = [];
        for (let run = 0; run < runs; run++) {
          reports.push(await runLighthouse(server.origin + path, { port, device }));
          progress(`${path} ${device} ${run + 1}/${runs}`);
        }
        rows.push({ path, device, ...medianOf(reports) });
      }
    }
    return rows;
  } finally {
    await browser.close();
    await server.stop();
  }
}

interface Medians {
  /** 0 to 100, in the order of CATEGORIES. */
  readonly scores: readonly number[];
  readonly largestPaintMs: number;
  readonly blockedMs: number;
  /** Of what jumped while the page came: good is up to 0.1. */
  readonly layoutShift: number;
  /** What a run found wrong: audits of the categories that do not pass, but for performance. */
  readonly failed: readonly string[];
}

interface Row extends Medians {
  readonly path: string;
  readonly device: (typeof DEVICES)[number];
}

const reportSchema = z.object({
  finalDisplayedUrl: z.string(),
  categories: z.record(
    z.string(),
    z.object({ score: z.number().nullable(), auditRefs: z.array(z.object({ id: z.string() })) }),
  ),
  audits: z.record(
    z.string(),
    z.object({ score: z.number().nullable(), numericValue: z.number().optional() }),
  ),
});
type Report = z.infer<typeof reportSchema>;

/** From an empty cache, as on a first visit. Lighthouse empties it, and leaves the cookies, by which the profile is signed in. */
async function runLighthouse(
  url: string,
  { port, device }: { readonly port: number; readonly device: Row["device"] },
): Promise<Report> {
  const { stdout } = await promisify(execFile)(
    "npm",
    `exec --yes --package=${LIGHTHOUSE} -- lighthouse ${url} --port=${port}`
      .concat(` --output=json --quiet --no-enable-error-reporting`)
      .concat(` --only-categories=${CATEGORIES.join()}`)
      .concat(device === "desktop" ? " --preset=desktop" : "")
      .split(" "),
    { cwd: root, maxBuffer: MAX_REPORT_BYTES, timeout: RUN_TIMEOUT_MS },
  );
  const report = reportSchema.parse(JSON.parse(stdout));
  if (report.finalDisplayedUrl !== url) {
    throw new Error(`${url} led to ${report.finalDisplayedUrl}: not signed in`);
  }
  return report;
}

function medianOf(reports: readonly Report[]): Medians {
  const median = (valueOf: (report: Report) => number | null | undefined) =>
    percentile(
      reports.map((report) => {
        const value = valueOf(report) ?? null;
        if (value === null)
          throw new Error(`Lighthouse could not measure ${report.finalDisplayedUrl}`);
        return value;
      }),
      0.5,
    );
  return {
    scores: CATEGORIES.map((name) => 100 * median(({ categories }) => categories[name]?.score)),
    largestPaintMs: median(({ audits }) => audits["largest-contentful-paint"]?.numericValue),
    blockedMs: median(({ audits }) => audits["total-blocking-time"]?.numericValue),
    layoutShift: median(({ audits }) => audits["cumulative-layout-shift"]?.numericValue),
    failed: [...new Set(reports.flatMap(failedAudits))],
  };
}

function failedAudits({ categories, audits }: Report): string[] {
  return CATEGORIES.filter((name) => name !== "performance").flatMap((name) =>
    (categories[name]?.auditRefs ?? [])
      .map(({ id }) => id)
      .filter((id) => (audits[id]?.score ?? 1) < 1),
  );
}

function print(rows: readonly Row[], runs: number): void {
  printPlace(thisPlace());
  printTable(
    `Lighthouse, median of ${runs}`,
    [
      "page",
      "device",
      ...CATEGORIES,
      "largest paint ms",
      "blocked ms",
      "layout shift",
      "does not pass",
    ],
    rows.map(({ path, device, scores, largestPaintMs, blockedMs, layoutShift, failed }) => [
      path,
      device,
      ...scores.map((score) => score.toFixed(0)),
      largestPaintMs.toFixed(0),
      blockedMs.toFixed(0),
      layoutShift.toFixed(3),
      failed.join(" "),
    ]),
  );
}
