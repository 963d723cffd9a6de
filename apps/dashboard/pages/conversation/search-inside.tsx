import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { answerOf, api, toProblem } from "../../api.ts";
import { Icon } from "../../shell/icon.tsx";
import { wordsOf } from "../../words/marked.tsx";

/** Where to look, and which words to set off there. */
export interface Place {
  readonly position: number;
  readonly words: readonly string[];
  /** What was in focus when it was asked for: only from there does the focus move on. Null: the page opens here. */
  readonly asker: Element | null;
}

/** Search in one conversation: from hit to hit, in the order of what was said. @param show has to be the same function always */
export function SearchInside({
  id,
  show,
}: {
  readonly id: string;
  readonly show: (place: Place) => void;
}) {
  const [typed, setTyped] = useState("");
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const asker = useRef<Element | null>(null);
  const found = useQuery({
    queryKey: ["conversation", id, "search", query],
    queryFn: () =>
      answerOf(api.conversations[":id"].search.$post({ param: { id }, json: { query } })),
    enabled: query !== "",
  });
  const hits = query === "" ? undefined : found.data?.results;
  const hit = hits?.[at];
  useEffect(() => {
    if (hit === undefined) return;
    show({ position: hit.position, words: wordsOf(hit.why), asker: asker.current });
  }, [hit, show]);
  const step = (by: number) => {
    asker.current = document.activeElement;
    if (hits !== undefined && hits.length > 0) setAt((at + by + hits.length) % hits.length);
  };
  return (
    <form
      className="search-inside"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.trim() === query) return step(1);
        asker.current = document.activeElement;
        setQuery(typed.trim());
        setAt(0);
      }}
    >
      <input
        data-search
        type="search"
        aria-label="Search this conversation"
        placeholder="Search this conversation"
        value={typed}
        maxLength={1_000}
        onChange={({ target }) => setTyped(target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || !event.shiftKey) return;
          event.preventDefault();
          step(-1);
        }}
      />
      <button>Search</button>
      <span role="status">
        {query === ""
          ? ""
          : hits === undefined
            ? found.isError
              ? toProblem(found.error).message
              : "Searching …"
            : hits.length === 0
              ? "Nothing found"
              : `${at + 1} of ${hits.length}`}
      </span>
      {hits === undefined || hits.length < 2 ? null : (
        <>
          <button
            type="button"
            className="icon-button"
            aria-label="Hit before"
            onClick={() => step(-1)}
          >
            <Icon name="up" />
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label="Next hit"
            onClick={() => step(1)}
          >
            <Icon name="down" />
          </button>
        </>
      )}
    </form>
  );
}
