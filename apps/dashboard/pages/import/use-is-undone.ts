import { useQuery } from "@tanstack/react-query";
import { answerOf, api } from "../../api.ts";
import { standingsOf } from "../../changes/standing.ts";

/** As many as a request gives. What was undone longer ago than these were made is not known here: undoing it once more changes nothing. */
const LATEST = 200;

/** Tells of an import's operation whether it was undone. */
export function useIsUndone(): (operationId: string | null | undefined) => boolean {
  const { data } = useQuery({
    queryKey: ["operations", "latest"],
    queryFn: () => answerOf(api.operations.$get({ query: { limit: LATEST } })),
  });
  const standings = standingsOf(data?.operations ?? []);
  return (id) => id != null && standings({ id, kind: "import" }).isUndone;
}
