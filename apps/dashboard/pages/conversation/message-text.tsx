import { useMemo, useState } from "react";
import { bytesText } from "../../words/amounts.ts";
import { marked } from "../../words/marked.tsx";
import { splitCode } from "./split-code.ts";

/** A browser lays this much out at once without a wait; arbitrary. */
const SHOWN_CHARS = 20_000;

/** What somebody said: as text, with its code set off. @param words that were searched for */
export function MessageText({
  text,
  words,
}: {
  readonly text: string;
  readonly words: readonly string[];
}) {
  const [isWhole, setWhole] = useState(text.length <= SHOWN_CHARS);
  const parts = useMemo(
    () => splitCode(isWhole ? text : text.slice(0, SHOWN_CHARS)),
    [text, isWhole],
  );
  return (
    <div className="message-text" dir="auto">
      {parts.map((part, index) => {
        switch (part.kind) {
          case "words":
            return <span key={index}>{marked(part.text, words)}</span>;
          case "code":
            return <code key={index}>{marked(part.text, words)}</code>;
          case "block":
            return (
              // It scrolls by itself, so it has to be reached by keyboard.
              <pre
                key={index}
                tabIndex={0}
                dir="ltr"
                role="group"
                aria-label={`Code ${part.language}`.trim()}
              >
                <code>{marked(part.text, words)}</code>
              </pre>
            );
        }
      })}
      {isWhole ? null : (
        <p>
          …{" "}
          <button type="button" onClick={() => setWhole(true)}>
            Show all of it ({bytesText(text.length)})
          </button>
        </p>
      )}
    </div>
  );
}
