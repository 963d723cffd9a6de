import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiProblem, answerOf, api } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { changesOf, draftOf, type Draft } from "../../memories/draft.ts";
import { MemoryFields } from "../../memories/memory-fields.tsx";
import type { Memory } from "../../memories/memory.ts";
import { Unsaved } from "../../shell/unsaved.tsx";
import { Difference } from "./difference.tsx";

/**
 * Changes a memory in place. What is sent holds only for the version that was read: when an assistant was faster, both texts are shown
 * and the person decides.
 */
export function EditMemory({
  memory,
  close,
}: {
  /** As it is now, which may be newer than what the form began with. */
  readonly memory: Memory;
  readonly close: () => void;
}) {
  const queries = useQueryClient();
  const [base, setBase] = useState(memory);
  const [draft, setDraft] = useState(() => draftOf(memory));
  const isChanged = JSON.stringify(draft) !== JSON.stringify(draftOf(base));
  const hasConflict = memory.version !== base.version;
  const save = useChange({
    async make({ draft: written, over }: { readonly draft: Draft; readonly over: Memory }) {
      const { id, version } = over;
      const request = api.memories[":id"].$patch({
        param: { id },
        // Against what the form began with: fields that the person left alone stay as others made them.
        json: { ...changesOf(draftOf(base), written), if_version: version },
      });
      try {
        const { operation_id } = await answerOf(request);
        return { isSaved: true, operation_id };
      } catch (error) {
        if (!(error instanceof ApiProblem) || error.code !== "version_conflict") throw error;
        const { memory: now } = await answerOf(
          api.memories[":id"].$get({ param: { id }, query: {} }),
        );
        // Another memory that says the same is a refusal; a newer version is read, and shown beside the draft.
        if (now.version === version) throw error;
        await queries.invalidateQueries({ queryKey: ["memory", id] });
        return { isSaved: false, operation_id: null };
      }
    },
    say: (answer) => (answer.isSaved ? "Saved." : null),
  });
  const send = (over: Memory) =>
    save.mutate({ draft, over }, { onSuccess: ({ isSaved }) => (isSaved ? close() : undefined) });
  return (
    <form
      className="card"
      aria-label="Edit memory"
      onSubmit={(event) => {
        event.preventDefault();
        send(base);
      }}
    >
      {hasConflict ? (
        <div className="conflict" role="alert">
          <p className="state-title">Changed meanwhile</p>
          <p>
            Somebody else changed this memory while you were writing. From what it says now to what
            you wrote:
          </p>
          <Difference before={memory.content} after={draft.content} />
          <div className="actions">
            <button type="button" disabled={save.isPending} onClick={() => send(memory)}>
              Save mine
            </button>
            <button
              type="button"
              onClick={() => {
                setBase(memory);
                setDraft(draftOf(memory));
              }}
            >
              Take what it says now
            </button>
          </div>
        </div>
      ) : null}
      <MemoryFields draft={draft} change={setDraft} />
      <Unsaved isUnsaved={isChanged && save.data?.isSaved !== true} />
      <div className="actions">
        <button
          className="primary"
          disabled={save.isPending || hasConflict || draft.content.trim() === ""}
        >
          Save
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  );
}
