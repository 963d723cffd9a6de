/** The rows of the page: a listing, or what a search found, a page at a time. */
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { answerOf, api, toProblem, type ApiProblem } from "../../api.ts";
import type { FoundMemory } from "../../memories/memory.ts";
import { useSettled } from "../../words/use-settled.ts";
import { requestOf, type Filter } from "./filter.ts";
import { narrowed, readTyped } from "./narrow.ts";

/** Of a listing: what a reader scrolls through in some seconds. */
const LISTED = 100;
/** As many as a search gives. */
const HITS = 50;
/** Pages that are kept: those that scrolled out at the other end are read again when they come back. */
const KEPT_PAGES = 10;
/** After a letter: shorter would ask for each one of who types fast, longer is felt. Rows are to be there within 150 ms. */
const PAUSE_MS = 60;
/** Of what waits or is in the trash, which no index finds: so many are read to look through. Arbitrary. */
const LOOKED_THROUGH = 500;

/** Where a page begins; each knows the one before it, so that it can be read again. */
interface Place {
  readonly cursor: string | null;
  readonly start: number;
  readonly before: Place | null;
}

const BEGINNING: Place = { cursor: null, start: 0, before: null };

interface RowPage {
  readonly rows: readonly FoundMemory[];
  readonly total: number;
  readonly next: string | null;
}

export interface Found {
  readonly rows: readonly FoundMemory[];
  /** Place of the first row among all of them. */
  readonly start: number;
  /** Null: how many there are is not known. */
  readonly total: number | null;
  readonly isLoading: boolean;
  /** Rows of an earlier question are shown until the answer is there. */
  readonly isStale: boolean;
  readonly problem: ApiProblem | null;
  readonly isOffline: boolean;
  /** Nothing holds the words; these may be of use all the same. */
  readonly isGuess: boolean;
  /** Null: there are no more. */
  readonly more: (() => void) | null;
  readonly earlier: (() => void) | null;
  readonly retry: () => void;
}

export function useFound(filter: Filter, words: string): Found {
  const typed = words.trim();
  const asked = useSettled(typed, PAUSE_MS);
  const isSearch = filter.status === "active" && typed !== "";
  const { finished, last } = readTyped(words);
  const whole = useSearch(filter, asked, isSearch && asked !== "");
  const isNarrowing = isSearch && last !== null;
  const before = useSearch(filter, finished, isNarrowing && finished !== "");
  const listing = useListing(filter, !isSearch || (isNarrowing && finished === ""));
  const isLooking = !isSearch && typed !== "";
  const loaded = rowsOf(listing).length;
  useEffect(() => {
    if (isLooking && listing.hasNextPage && !listing.isFetching && loaded < LOOKED_THROUGH) {
      void listing.fetchNextPage();
    }
  });

  if (!isSearch) {
    const rows = rowsOf(listing);
    if (!isLooking) return { ...stateOf(listing), rows, total: totalOf(listing), isGuess: false };
    const shown = readTyped(`${typed} `).finished.split(/\s+/u);
    return {
      ...stateOf(listing),
      rows: shown.reduce<readonly FoundMemory[]>(
        (left, word) => narrowed(word, { whole: [], before: left, isAsked: false }),
        rows,
      ),
      start: 0,
      total: null,
      // They are read without being asked for, above.
      more: null,
      earlier: null,
      isGuess: false,
    };
  }
  const hits = rowsOf(whole);
  const isSettled = asked === typed && !whole.isPlaceholderData && whole.data !== undefined;
  const base = finished === "" ? listing : before;
  const rows =
    last === null
      ? hits.filter(({ matched }) => matched !== false)
      : narrowed(last, {
          whole: hits,
          before: base.isPlaceholderData ? [] : rowsOf(base),
          isAsked: finished !== "",
        });
  const isGuess = rows.length === 0 && isSettled;
  return {
    ...stateOf(whole),
    isLoading: rows.length === 0 && !isSettled && whole.error === null,
    isStale: !isSettled,
    start: 0,
    earlier: null,
    rows: isGuess ? hits : rows,
    total: isSettled && last === null ? totalOf(whole) : null,
    isGuess,
  };
}

function useListing(filter: Filter, enabled: boolean) {
  return useInfiniteQuery({
    ...PAGED,
    queryKey: ["memories", "list", filter],
    enabled,
    queryFn: async ({ pageParam, signal }): Promise<RowPage> => {
      const json = {
        ...requestOf(filter),
        status: filter.status,
        limit: LISTED,
        ...cursorOf(pageParam),
      };
      const answer = await answerOf(api.memories.list.$post({ json }, { init: { signal } }));
      return { rows: answer.memories, total: answer.total, next: answer.next_cursor ?? null };
    },
  });
}

function useSearch(filter: Filter, words: string, enabled: boolean) {
  return useInfiniteQuery({
    ...PAGED,
    queryKey: ["memories", "search", filter, words],
    enabled,
    queryFn: async ({ pageParam, signal }): Promise<RowPage> => {
      const json = {
        ...requestOf(filter),
        query: words,
        limit: HITS,
        ...cursorOf(pageParam),
      };
      const answer = await answerOf(api.memories.search.$post({ json }, { init: { signal } }));
      return { rows: answer.results, total: answer.total, next: answer.next_cursor ?? null };
    },
  });
}

const PAGED = {
  initialPageParam: BEGINNING,
  maxPages: KEPT_PAGES,
  placeholderData: keepPreviousData,
  getNextPageParam: (page: RowPage, _pages: unknown, place: Place): Place | null =>
    page.next === null
      ? null
      : { cursor: page.next, start: place.start + page.rows.length, before: place },
  getPreviousPageParam: (_page: RowPage, _pages: unknown, { before }: Place): Place | null =>
    before,
} as const;

type Paged = ReturnType<typeof useListing>;

function stateOf(query: Paged): Omit<Found, "rows" | "total" | "isGuess"> {
  const isBusy = query.isFetching;
  // True: `PAGED` makes them all.
  const places = query.data?.pageParams as readonly Place[] | undefined;
  return {
    start: places?.[0]?.start ?? 0,
    isLoading: query.data === undefined && query.error === null,
    isStale: query.isPlaceholderData,
    problem: query.data === undefined && query.error !== null ? toProblem(query.error) : null,
    isOffline: query.data === undefined && query.fetchStatus === "paused",
    more: query.hasNextPage ? () => void (isBusy || query.fetchNextPage()) : null,
    earlier: query.hasPreviousPage ? () => void (isBusy || query.fetchPreviousPage()) : null,
    retry: () => void query.refetch(),
  };
}

function rowsOf({ data }: Paged): readonly FoundMemory[] {
  return data?.pages.flatMap(({ rows }) => rows) ?? [];
}

function totalOf({ data }: Paged): number | null {
  return data?.pages.at(-1)?.total ?? null;
}

function cursorOf({ cursor }: Place) {
  return cursor === null ? {} : { cursor };
}
