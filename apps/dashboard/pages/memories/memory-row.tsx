import type { ReactNode } from "react";
import {
  CATEGORY_NAMES,
  nameOf,
  SOURCE_NAMES,
  textOf,
  type FoundMemory,
} from "../../memories/memory.ts";
import { StoredText } from "../../memories/stored-text.tsx";
import { Link } from "../../shell/router.tsx";
import { dayText } from "../../words/amounts.ts";
import { Moment } from "../../words/moment.tsx";
import { foundWords } from "./narrow.ts";

/** A memory in the list. @param isCurrent the one that Tab reaches: the arrow keys move between rows */
export function MemoryRow({
  memory,
  marks,
  isChosen,
  isCurrent,
  toggle,
  open,
  actions,
}: {
  readonly memory: FoundMemory;
  /** Words that were asked for, besides those that the search names. */
  readonly marks: readonly string[];
  readonly isChosen: boolean;
  readonly isCurrent: boolean;
  readonly toggle: (isRange: boolean) => void;
  readonly open: () => void;
  readonly actions: ReactNode;
}) {
  const tabIndex = isCurrent ? 0 : -1;
  return (
    <div className={isChosen ? "memory-row memory-row-chosen" : "memory-row"}>
      <label className="memory-tick">
        <input
          type="checkbox"
          checked={isChosen}
          tabIndex={tabIndex}
          aria-label={`Choose: ${nameOf(memory)}`}
          onChange={() => undefined}
          onClick={(event) => toggle(event.shiftKey)}
        />
      </label>
      <div className="memory-words">
        <Link
          to={`/memories/${memory.id}`}
          className="memory-text"
          tabIndex={tabIndex}
          onClick={open}
        >
          <StoredText text={textOf(memory)} marks={[...foundWords(memory), ...marks]} />
        </Link>
        <About memory={memory} />
        <Why memory={memory} />
      </div>
      {actions === null ? null : <div className="memory-row-actions">{actions}</div>}
    </div>
  );
}

function About({ memory }: { readonly memory: FoundMemory }) {
  const { category, project, tags = [], client, source, created_at: created } = memory;
  const writer = client === "" ? SOURCE_NAMES[source] : client;
  return (
    <p className="memory-about">
      {category === "other" ? null : <span>{CATEGORY_NAMES[category]}</span>}
      {project === undefined ? null : (
        <span>
          Project <bdi>{project}</bdi>
        </span>
      )}
      {tags.map((tag) => (
        <bdi key={tag} className="tag">
          {tag}
        </bdi>
      ))}
      <span>
        <bdi>{writer}</bdi>
      </span>
      <Moment time={created} />
      {memory.expires_at === undefined ? null : <span>until {dayText(memory.expires_at)}</span>}
      {memory.superseded_by === undefined ? null : <span>replaced by a newer one</span>}
    </p>
  );
}

const FIELD_NAMES: Readonly<Record<string, string>> = {
  content: "the text",
  tags: "tags",
  project: "the project",
  path: "the file's name",
};

/** Why a search found it. */
function Why({ memory: { why = [] } }: { readonly memory: FoundMemory }) {
  if (why.length === 0) return null;
  return (
    <p className="memory-why">
      Found by{" "}
      {why.map((reason, index) => {
        const [field = "", words] = reason.split(/: (.*)/su);
        const name = FIELD_NAMES[field];
        return (
          <span key={reason}>
            {index === 0 ? "" : "; "}
            {name === undefined || words === undefined ? (
              <bdi>{reason}</bdi>
            ) : (
              <>
                <bdi>{words}</bdi> in {name}
              </>
            )}
          </span>
        );
      })}
    </p>
  );
}
