/**
 * What Cloudflare's plans hold and what goes beyond costs, from its own pages on Workers, D1, Durable Objects, KV and R2, read in November
 * 2026. They change: look there before a decision.
 */

/** What is counted, of one call or of a day. */
export interface Use {
  readonly requests: number;
  readonly cpuMs: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly objectRequests: number;
  /** While a call runs; an object that waits for the next one can hibernate, and costs nothing. */
  readonly objectGbSeconds: number;
  readonly objectRowsRead: number;
  readonly objectRowsWritten: number;
  readonly kvReads: number;
  readonly kvWrites: number;
  readonly r2ClassA: number;
  readonly r2ClassB: number;
}

const RESOURCES: Readonly<Record<keyof Use, string>> = {
  requests: "Worker requests",
  cpuMs: "CPU ms",
  rowsRead: "D1 rows read",
  rowsWritten: "D1 rows written",
  objectRequests: "object requests",
  objectGbSeconds: "object GB-s",
  objectRowsRead: "object rows read",
  objectRowsWritten: "object rows written",
  kvReads: "KV reads",
  kvWrites: "KV writes",
  r2ClassA: "R2 class A",
  r2ClassB: "R2 class B",
};
const KEYS = Object.keys(RESOURCES) as readonly (keyof Use)[]; // true because the record has exactly these

const DAYS = 30;

/** CPU has no limit of a day, but one of a request. */
const FREE_A_DAY: Readonly<Record<keyof Use, number>> = {
  requests: 100_000,
  cpuMs: Number.POSITIVE_INFINITY,
  rowsRead: 5_000_000,
  rowsWritten: 100_000,
  objectRequests: 100_000,
  objectGbSeconds: 13_000,
  objectRowsRead: 5_000_000,
  objectRowsWritten: 100_000,
  kvReads: 100_000,
  kvWrites: 1_000,
  r2ClassA: 1_000_000 / DAYS,
  r2ClassB: 10_000_000 / DAYS,
};
export const FREE_CPU_MS_A_REQUEST = 10;
/** The most that one database holds, and Cofio has one. */
export const FREE_DATABASE_BYTES = 500_000_000;
export const PAID_DATABASE_BYTES = 10_000_000_000;

/** US dollars. */
const PAID_A_MONTH = 5;
const PAID: Readonly<
  Record<keyof Use, { readonly included: number; readonly dollarsAMillion: number }>
> = {
  requests: { included: 10e6, dollarsAMillion: 0.3 },
  cpuMs: { included: 30e6, dollarsAMillion: 0.02 },
  rowsRead: { included: 25e9, dollarsAMillion: 0.001 },
  rowsWritten: { included: 50e6, dollarsAMillion: 1 },
  objectRequests: { included: 1e6, dollarsAMillion: 0.15 },
  objectGbSeconds: { included: 400_000, dollarsAMillion: 12.5 },
  objectRowsRead: { included: 25e9, dollarsAMillion: 0.001 },
  objectRowsWritten: { included: 50e6, dollarsAMillion: 1 },
  kvReads: { included: 10e6, dollarsAMillion: 0.5 },
  kvWrites: { included: 1e6, dollarsAMillion: 5 },
  r2ClassA: { included: 1e6, dollarsAMillion: 4.5 },
  r2ClassB: { included: 10e6, dollarsAMillion: 0.36 },
};

/** Of D1, a month. */
const PAID_STORAGE = { includedBytes: 5e9, dollarsAGb: 0.75 };

/** How often a day the free plan allows this, and what is used up first. */
export function freePlanHolds(use: Use): { readonly times: number; readonly limitedBy: string } {
  const [least] = KEYS.map((key) => ({
    times: Math.floor(FREE_A_DAY[key] / use[key]),
    limitedBy: RESOURCES[key],
  })).sort((a, b) => a.times - b.times);
  if (least === undefined) throw new Error("Something is counted");
  return least;
}

/** US dollars a month for so much use a day and so much in D1, by what they are paid for; what is included costs nothing. */
export function paidPlanCosts(
  aDay: Use,
  storedBytes: number,
): { readonly total: number; readonly parts: string[] } {
  const used = KEYS.map((key) => {
    const { included, dollarsAMillion } = PAID[key];
    const beyond = Math.max(0, aDay[key] * DAYS - included);
    return { name: RESOURCES[key], dollars: (beyond * dollarsAMillion) / 1e6 };
  });
  const storedBeyond = Math.max(0, storedBytes - PAID_STORAGE.includedBytes);
  const stored = {
    name: "D1 storage",
    dollars: (storedBeyond / 1e9) * PAID_STORAGE.dollarsAGb,
  };
  const parts = [...used, stored].filter(({ dollars }) => dollars >= 0.01);
  return {
    total: parts.reduce((sum, { dollars }) => sum + dollars, PAID_A_MONTH),
    parts: parts.map(({ name, dollars }) => `${name} ${dollars.toFixed(2)}`),
  };
}

export function addUses(uses: readonly { readonly use: Use; readonly times: number }[]): Use {
  const sum = (key: keyof Use) => uses.reduce((sum, { use, times }) => sum + use[key] * times, 0);
  return {
    requests: sum("requests"),
    cpuMs: sum("cpuMs"),
    rowsRead: sum("rowsRead"),
    rowsWritten: sum("rowsWritten"),
    objectRequests: sum("objectRequests"),
    objectGbSeconds: sum("objectGbSeconds"),
    objectRowsRead: sum("objectRowsRead"),
    objectRowsWritten: sum("objectRowsWritten"),
    kvReads: sum("kvReads"),
    kvWrites: sum("kvWrites"),
    r2ClassA: sum("r2ClassA"),
    r2ClassB: sum("r2ClassB"),
  };
}
