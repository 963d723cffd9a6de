import { useQuery } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { answerOf, api } from "../api.ts";
import { isUnderWay, nextLook } from "./under-way.ts";

export type Backup = InferResponseType<typeof api.backups.$get>["backups"][number];

/** Copies of the account on the server, looked at again for as long as one is written or restored on trial. */
export function useBackups() {
  return useQuery({
    queryKey: ["backups"],
    queryFn: () => answerOf(api.backups.$get()),
    refetchInterval: ({ state }) => nextLook((state.data?.backups ?? []).flatMap(workBegunAt)),
  });
}

function workBegunAt({ state, created_at: createdAt, rehearsal }: Backup) {
  if (isUnderWay(state)) return [createdAt];
  return rehearsal?.state === "running" ? [rehearsal.at] : [];
}
