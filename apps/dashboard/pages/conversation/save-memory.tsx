import { useId, useState } from "react";
import { CATEGORIES } from "../../../../src/storage/closed-lists.ts";
import { answerOf, api } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Unsaved } from "../../shell/unsaved.tsx";
import { WritingDialog } from "../../states/dialog.tsx";

/** What is to become a memory. */
export interface Draft {
  readonly text: string;
  /** The person said it, not an assistant. */
  readonly isOwn: boolean;
}

/** @param draft null: closed */
export function SaveMemory({
  draft,
  close,
}: {
  readonly draft: Draft | null;
  readonly close: () => void;
}) {
  const [isWritten, setWritten] = useState(false);
  const leave = () => {
    setWritten(false);
    close();
  };
  return (
    <WritingDialog
      title="Save as memory"
      question="Discard this memory?"
      isOpen={draft !== null}
      isWritten={isWritten}
      close={leave}
    >
      {draft === null ? null : <SaveForm draft={draft} close={leave} tellWritten={setWritten} />}
      <Unsaved isUnsaved={isWritten} />
    </WritingDialog>
  );
}

function SaveForm({
  draft,
  close,
  tellWritten,
}: {
  readonly draft: Draft;
  readonly close: () => void;
  /** Whether it differs from what was said in the conversation, and is not saved. */
  readonly tellWritten: (isWritten: boolean) => void;
}) {
  const id = useId();
  const [content, setContent] = useState(draft.text);
  const [category, setCategory] = useState("");
  const save = useChange({
    make: (memory: { content: string; category?: string }) =>
      answerOf(
        api.memories.$post({
          json: { ...memory, origin: draft.isOwn ? "user" : "assistant", user_asked: true },
        }),
      ).then((answer) => {
        close();
        return answer;
      }),
    say: ({ outcome }) => SAID[outcome],
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (content.trim() === "") return;
        save.mutate({ content: content.trim(), ...(category === "" ? {} : { category }) });
      }}
    >
      <label htmlFor={`${id}-content`}>
        What your assistants should remember
        <textarea
          id={`${id}-content`}
          dir="auto"
          rows={6}
          required
          value={content}
          onChange={({ target }) => {
            setContent(target.value);
            tellWritten(target.value !== draft.text);
          }}
        />
        <small>One fact that can be understood on its own, such as “Prefers metric units.”</small>
      </label>
      <label htmlFor={`${id}-category`}>
        Category
        <select
          id={`${id}-category`}
          value={category}
          onChange={({ target }) => setCategory(target.value)}
        >
          <option value="">None</option>
          {CATEGORIES.filter((name) => name !== "other").map((name) => (
            <option key={name} value={name}>
              {inWords(name)}
            </option>
          ))}
        </select>
      </label>
      <div className="actions">
        <button className="primary" disabled={save.isPending}>
          Save
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  );
}

const SAID = {
  created: "Saved as a memory.",
  duplicate: "There is a memory that says this already.",
  pending: "Saved. It waits for your review, as your rules have it.",
} as const;

function inWords(category: string): string {
  const words = category.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
