import { useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { useEffect, useState } from "react";
import { WATCH_MS, type Handshake } from "../../../../src/handshake.ts";
import { account } from "../../account/account.ts";
import { answerOf, toProblem } from "../../api.ts";
import { LIVE_HANDSHAKE, LIVE_SOCKET } from "../../live/live.ts";
import { tellProblem } from "../../states/toasts.tsx";

type Watched = InferResponseType<typeof account.handshake.$post>;

/** Before the server stops watching. */
const WATCH_ON_MS = WATCH_MS * 0.8;
/** Where there is no WebSocket that tells the steps: each answer has them too. */
const ASK_AGAIN_MS = 60_000;
/** From one step to the next no app takes longer, except where a person has to do something. */
const LATE_MS = 60_000;

/** Has the server watch for clients while the page is open. */
export function useHandshake() {
  const queries = useQueryClient();
  const isTold = useQuery<boolean>({ queryKey: LIVE_SOCKET, enabled: false }).data === true;
  const watch = useQuery({
    queryKey: ["live", "handshake", "watch"],
    queryFn: async () => {
      keep(queries, await answerOf(account.handshake.$post()));
      return true;
    },
    refetchInterval: isTold ? WATCH_ON_MS : ASK_AGAIN_MS,
    // Who connects an app is at that app's page, and this one is in the background.
    refetchIntervalInBackground: true,
  });
  const handshake = useQuery<Handshake | null>({ queryKey: LIVE_HANDSHAKE, enabled: false });
  const startOver = useMutation({
    mutationFn: async () => keep(queries, await answerOf(account.handshake.$delete())),
    onError: (error) => tellProblem(toProblem(error)),
  });
  return { watch, handshake: handshake.data ?? null, startOver };
}

/** Whether for a minute nothing has come after this. */
export function useIsLate(after: string): boolean {
  const [late, setLate] = useState<string | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setLate(after), LATE_MS);
    return () => {
      clearTimeout(timer);
      setLate(null);
    };
  }, [after]);
  return late === after;
}

/** Unless something newer was told meanwhile: each time somebody watches, the end is moved. */
function keep(queries: QueryClient, { watched_until: until, steps }: Watched): void {
  const answered: Handshake = {
    watchedUntil: Date.parse(until),
    steps: steps.map((one) => ({ ...one, at: Date.parse(one.at) })),
  };
  queries.setQueryData<Handshake | null>(LIVE_HANDSHAKE, (told) =>
    told !== undefined && told !== null && told.watchedUntil >= answered.watchedUntil
      ? told
      : answered,
  );
}
