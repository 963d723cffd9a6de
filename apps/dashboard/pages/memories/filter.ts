/** Which memories are listed. It stands in the address, so that it outlives a reload and can be linked; the words of a search do not: addresses end up in logs. */
import { CATEGORIES, SOURCES } from "../../../../src/storage/closed-lists.ts";
import type { Category, Source } from "../../../../src/storage/closed-lists.ts";
import type { Status } from "../../memories/memory.ts";

export interface Filter {
  readonly status: Status;
  readonly tag?: string;
  readonly project?: string;
  readonly category?: Category;
  readonly source?: Source;
  readonly client?: string;
  /** Days, `2026-12-01`, both inclusive. */
  readonly after?: string;
  readonly before?: string;
}

export const STATUSES = ["active", "pending", "trashed"] as const satisfies readonly Status[];
const WORDED = ["tag", "project", "client"] as const;
const DATED = ["after", "before"] as const;
const DAY = /^\d{4}-\d\d-\d\d$/u;
const DAY_MS = 86_400_000;

/** What makes no sense in an address is no filter. */
export function readFilter(query: URLSearchParams): Filter {
  const category = CATEGORIES.find((one) => one === query.get("category"));
  const source = SOURCES.find((one) => one === query.get("source"));
  return {
    status: STATUSES.find((one) => one === query.get("status")) ?? "active",
    ...given(WORDED, query, () => true),
    ...given(DATED, query, (day) => DAY.test(day)),
    ...(category === undefined ? {} : { category }),
    ...(source === undefined ? {} : { source }),
  };
}

export function addressOf({ status, ...rest }: Filter): string {
  const query = new URLSearchParams({ ...(status === "active" ? {} : { status }), ...rest });
  return query.size === 0 ? "/memories" : `/memories?${query}`;
}

/** Without one of its parts, or with another value for it. */
export function withPart(filter: Filter, name: keyof Filter, value: string | null): Filter {
  const { [name]: _before, ...rest } = filter;
  const query = new URLSearchParams(rest);
  if (value !== null && value !== "") query.set(name, value);
  return readFilter(query);
}

/** As lists and searches of the API take it, all but the status. */
export function requestOf({ tag, project, category, source, client, after, before }: Filter) {
  return {
    ...(tag === undefined ? {} : { tags: [tag] }),
    ...(project === undefined ? {} : { project }),
    ...(category === undefined ? {} : { category }),
    ...(source === undefined ? {} : { source }),
    ...(client === undefined ? {} : { client }),
    ...(after === undefined ? {} : { after }),
    // The API ends where a day begins.
    ...(before === undefined
      ? {}
      : { before: new Date(Date.parse(before) + DAY_MS).toISOString().slice(0, 10) }),
  };
}

function given<Name extends string>(
  names: readonly Name[],
  query: URLSearchParams,
  isGood: (value: string) => boolean,
): Partial<Record<Name, string>> {
  const pairs = names.map((name) => [name, query.get(name) ?? ""] as const);
  // True: the names are those of the list.
  return Object.fromEntries(pairs.filter(([, value]) => value !== "" && isGood(value))) as Partial<
    Record<Name, string>
  >;
}
