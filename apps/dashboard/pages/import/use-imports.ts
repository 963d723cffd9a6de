import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { useEffect, useRef } from "react";
import { answerOf, api } from "../../api.ts";
import { importStandings } from "../../live/import-standings.ts";
import { useLiveState } from "./live-imports.ts";

export type ListedImport = InferResponseType<typeof api.imports.$get>["imports"][number];

/** The imports of the account, the newest first, page by page. */
export function useImports() {
  const list = useInfiniteQuery({
    queryKey: ["imports"],
    queryFn: ({ pageParam }) =>
      answerOf(api.imports.$get({ query: pageParam === null ? {} : { before: pageParam } })),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_before: next }) => next,
    // Each batch of an import is a change, and none that the list shows: see `useFreshList`.
    meta: { live: false },
    staleTime: 0,
  });
  return { list, imports: list.data?.pages.flatMap((page) => page.imports) ?? [] };
}

/** Has the list read again when an import begins, ends or waits, wherever it runs. */
export function useFreshList(): void {
  const queries = useQueryClient();
  const standings = importStandings(useLiveState());
  const read = useRef(standings);
  useEffect(() => {
    if (read.current === standings) return;
    read.current = standings;
    void queries.invalidateQueries({ queryKey: ["imports"] });
  }, [queries, standings]);
}
