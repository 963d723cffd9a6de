import { useQuery } from "@tanstack/react-query";
import { answerOf, api } from "../api.ts";

/** A list to choose from need not follow each change at once: reading it walks all labels. */
const STALE_MS = 300_000;

/** Tags and projects in use. */
export function useLabels() {
  return useQuery({
    queryKey: ["labels"],
    queryFn: () => answerOf(api.memories.labels.$get()),
    staleTime: STALE_MS,
    meta: { live: false },
  });
}
