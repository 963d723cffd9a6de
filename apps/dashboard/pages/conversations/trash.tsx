import { answerOf, api } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Empty } from "../../states/states.tsx";
import { counted } from "../../words/amounts.ts";
import { ConversationList, titleOf } from "./conversation-list.tsx";

/** What was thrown away, until it is gone for good. */
export function Trash() {
  const restore = useChange({
    make: (ids: string[]) => answerOf(api.conversations.restore.$post({ json: { ids } })),
    say: ({ restored }) =>
      restored.length === 0
        ? "Nothing was restored: it was gone, or back, already."
        : `Restored ${counted(restored.length, "conversation")}.`,
  });
  return (
    <ConversationList
      asked={{ status: "trashed" }}
      nothing={
        <Empty title="The trash is empty.">What you throw away stays here for 30 days.</Empty>
      }
      actions={(ids, clear) => (
        <button
          type="button"
          disabled={restore.isPending}
          onClick={() => restore.mutate(ids, { onSuccess: clear })}
        >
          Restore
        </button>
      )}
      actionOf={(conversation) => (
        <button
          type="button"
          className="quiet"
          disabled={restore.isPending}
          aria-label={`Restore: ${titleOf(conversation)}`}
          onClick={() => restore.mutate([conversation.id])}
        >
          Restore
        </button>
      )}
    />
  );
}
