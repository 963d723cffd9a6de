import { useCallback, useEffect, useState, type RefObject } from "react";
import { useShortcut } from "../../shell/shortcuts.tsx";
import type { Draft } from "./save-memory.tsx";

/** What can be done with the text that is selected in an element: at the edge of the screen for as long as there is some. */
export function SelectionBar({
  within,
  save,
}: {
  readonly within: RefObject<HTMLElement | null>;
  readonly save: (draft: Draft) => void;
}) {
  const [selected, setSelected] = useState<Draft | null>(null);
  useEffect(() => {
    const look = () => setSelected(selectedIn(within.current));
    document.addEventListener("selectionchange", look);
    return () => document.removeEventListener("selectionchange", look);
  }, [within]);
  const saveSelected = useCallback(() => {
    if (selected === null) return;
    document.getSelection()?.removeAllRanges();
    save(selected);
  }, [selected, save]);
  useShortcut("m", "Save the selected text as a memory", saveSelected);
  if (selected === null) return null;
  return (
    <div className="quoted-bar">
      <span className="one-line">
        <bdi>{selected.text}</bdi>
      </span>
      <button
        type="button"
        className="primary"
        // A press would take the selection away before the click.
        onMouseDown={(event) => event.preventDefault()}
        onClick={saveSelected}
      >
        Save selection as memory
      </button>
    </div>
  );
}

function selectedIn(element: HTMLElement | null): Draft | null {
  const selection = document.getSelection();
  if (element === null || selection === null || selection.isCollapsed) return null;
  const { anchorNode, focusNode } = selection;
  if (!element.contains(anchorNode) || !element.contains(focusNode)) return null;
  const text = selection.toString().trim();
  if (text === "") return null;
  const message = (anchorNode?.parentElement ?? null)?.closest<HTMLElement>("[data-role]");
  return { text, isOwn: message?.dataset["role"] === "user" };
}
