import { useState } from "react";
import { answerOf, api } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { NEW_DRAFT, tagsOf, type Draft } from "../../memories/draft.ts";
import { MemoryFields } from "../../memories/memory-fields.tsx";
import { Unsaved } from "../../shell/unsaved.tsx";
import { WritingDialog } from "../../states/dialog.tsx";

const SAID = {
  created: "Saved.",
  duplicate: "This is known already.",
  pending: "Saved. It waits for your review.",
} as const;

export function NewMemoryDialog({
  isOpen,
  close,
}: {
  readonly isOpen: boolean;
  readonly close: () => void;
}) {
  const [isWritten, setWritten] = useState(false);
  const leave = () => {
    setWritten(false);
    close();
  };
  return (
    <WritingDialog
      title="New memory"
      question="Discard this memory?"
      isOpen={isOpen}
      isWritten={isWritten}
      close={leave}
    >
      <NewMemory close={leave} tellWritten={setWritten} />
      <Unsaved isUnsaved={isWritten} />
    </WritingDialog>
  );
}

function NewMemory({
  close,
  tellWritten,
}: {
  readonly close: () => void;
  /** Whether anything stands in it that is not saved. */
  readonly tellWritten: (isWritten: boolean) => void;
}) {
  const [draft, setDraft] = useState(NEW_DRAFT);
  const change = (written: Draft) => {
    setDraft(written);
    tellWritten(JSON.stringify(written) !== JSON.stringify(NEW_DRAFT));
  };
  const save = useChange({
    make: (written: Draft) => answerOf(api.memories.$post({ json: requestOf(written) })),
    say: ({ outcome }) => SAID[outcome],
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(draft, { onSuccess: close });
      }}
    >
      <MemoryFields draft={draft} change={change} />
      <div className="actions">
        <button className="primary" disabled={save.isPending || draft.content.trim() === ""}>
          Save
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function requestOf({ content, tags, project, category, importance, expires }: Draft) {
  return {
    content,
    category,
    importance: Number(importance),
    // The person writes it themself.
    origin: "user" as const,
    user_asked: true,
    tags: tagsOf(tags),
    ...(project === "" ? {} : { project }),
    ...(expires === "" ? {} : { expires_at: expires }),
  };
}
