import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { useEffect } from "react";
import { answerOf, api } from "../../api.ts";
import { isUnderWay, nextLook } from "../../changes/under-way.ts";
import { readAgain } from "../../live/read-again.ts";
import { navigate } from "../../shell/router.tsx";
import { Answer } from "../../states/answer.tsx";
import { Loading } from "../../states/states.tsx";
import { counted, inFigures } from "../../words/amounts.ts";
import { contentsText } from "../../words/contents.ts";

type Restore = InferResponseType<(typeof api.restores)[":id"]["$get"]>["restore"];

/** How a restore stands, and in the end what it did. */
export function RestoreProgress({ id }: { readonly id: string }) {
  const queries = useQueryClient();
  const restore = useQuery({
    queryKey: ["restore", id],
    queryFn: () => answerOf(api.restores[":id"].$get({ param: { id } })),
    refetchInterval: ({ state }) =>
      state.data !== undefined && isUnderWay(state.data.restore.state)
        ? nextLook([state.data.restore.created_at])
        : false,
  });
  const state = restore.data?.restore.state;
  // All that is shown may be otherwise by now.
  useEffect(() => {
    if (state === "finished") {
      void readAgain(queries, { isOwn: true });
    }
  }, [queries, state]);
  return (
    <div className="restore" role="status">
      <Answer query={restore} loading={<Loading lines={1} />}>
        {({ restore: found }) => <Standing restore={found} />}
      </Answer>
      {state === undefined || isUnderWay(state) ? null : (
        <button
          type="button"
          className="quiet"
          onClick={() => navigate("/export", { replace: true })}
        >
          Close
        </button>
      )}
    </div>
  );
}

function Standing({ restore }: { readonly restore: Restore }) {
  const { state, mode, problem, restored = {}, kept = {}, skipped = [] } = restore;
  if (isUnderWay(state)) {
    return (
      <label>
        {mode === "whole" ? "Making everything as it was …" : "Bringing back what is missing …"}
        <progress />
      </label>
    );
  }
  if (state !== "finished") {
    return (
      <p className="alert">
        The restore stopped{problem === undefined ? "." : `: ${problem}`} Start it again to finish
        it.
      </p>
    );
  }
  const left = skipped.reduce((sum, { count }) => sum + count, 0);
  return (
    <>
      <p>
        <b>The restore is done.</b> Brought back: {contentsText(restored)}. There already:{" "}
        {contentsText(kept)}.
      </p>
      {left === 0 ? null : (
        <p>
          {counted(left, "entry", "entries")} did not fit any more, because what is there now says
          the same or was changed since:{" "}
          {skipped
            .map(({ table, count }) => `${inFigures(count)} ${TABLE_WORDS[table] ?? "others"}`)
            .join(", ")}
          .
        </p>
      )}
      {restore.rules_kept === undefined ? null : <p>Your memory rules stayed as they are.</p>}
      {restore.backup_before === undefined ? null : (
        <p>The account as it was before is the newest backup below, kept for 30 days.</p>
      )}
    </>
  );
}

/** As a backup names its tables. */
const TABLE_WORDS: Readonly<Partial<Record<string, string>>> = {
  operations: "changes of the history",
  labels: "tags, projects or folders",
  memories: "memories",
  memory_versions: "earlier states of memories",
  memory_labels: "tags of memories",
  conversations: "conversations",
  conversation_versions: "earlier states of conversations",
  messages: "messages",
  message_versions: "earlier states of messages",
};
