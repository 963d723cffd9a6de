/** What the list of conversations is asked for; it lives in the query of the address. */
import { SOURCES, type Source } from "../../../../src/storage/closed-lists.ts";
import { navigate } from "../../shell/router.tsx";

export interface Filters {
  /** What was typed; empty: a list. */
  readonly query: string;
  readonly platform: Source | null;
  /** Days, as `2026-11-23`; both are within. Empty: open. */
  readonly from: string;
  readonly to: string;
  readonly order: "newest" | "oldest";
}

export function filtersIn(params: URLSearchParams): Filters {
  const platform = SOURCES.find((name) => name === params.get("platform")) ?? null;
  return {
    query: params.get("q") ?? "",
    platform,
    from: dayIn(params, "from"),
    to: dayIn(params, "to"),
    order: params.get("order") === "oldest" ? "oldest" : "newest",
  };
}

export function showFiltered({ query, platform, from, to, order }: Filters): void {
  const params = new URLSearchParams({
    ...(query === "" ? {} : { q: query }),
    ...(platform === null ? {} : { platform }),
    ...(from === "" ? {} : { from }),
    ...(to === "" ? {} : { to }),
    ...(order === "newest" ? {} : { order }),
  });
  navigate(params.size === 0 ? "/conversations" : `/conversations?${params.toString()}`, {
    replace: true,
  });
}

/** As the API takes them: it ends before the day that `before` names. */
export function askedOf({ platform, from, to }: Filters) {
  return {
    ...(platform === null ? {} : { platform }),
    ...(from === "" ? {} : { after: from }),
    ...(to === "" ? {} : { before: dayAfter(to) }),
  };
}

export function isFiltered({ platform, from, to }: Filters): boolean {
  return platform !== null || from !== "" || to !== "";
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const DAY_MS = 86_400_000;

function dayIn(params: URLSearchParams, name: string): string {
  const day = params.get(name) ?? "";
  return DAY.test(day) && !Number.isNaN(Date.parse(day)) ? day : "";
}

function dayAfter(day: string): string {
  return new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10);
}
