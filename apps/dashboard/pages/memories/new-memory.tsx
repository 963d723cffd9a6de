import { useState } from "react";
import { answerOf, api } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { NEW_DRAFT, tagsOf, type Draft } from "../../memories/draft.ts";
import { MemoryFields } from "../../memories/memory-fields.tsx";
import { Dialog } from "../../states/dialog.tsx";

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
  return (
    <Dialog title="New memory" isOpen={isOpen} close={close}>
      <NewMemory close={close} />
    </Dialog>
  );
}

function NewMemory({ close }: { readonly close: () => void }) {
  const [draft, setDraft] = useState(NEW_DRAFT);
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
      <MemoryFields draft={draft} change={setDraft} />
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
