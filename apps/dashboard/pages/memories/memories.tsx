import { useCallback, useDeferredValue, useState } from "react";
import { ApiProblem } from "../../api.ts";
import { MOST_AT_ONCE, useChangeMany } from "../../memories/changes.ts";
import { nameOf, type FoundMemory, type Status } from "../../memories/memory.ts";
import { Page as Frame } from "../../shell/page.tsx";
import { Link, navigate, useQueryParams } from "../../shell/router.tsx";
import { useShortcut } from "../../shell/shortcuts.tsx";
import { Empty, Loading, Problem } from "../../states/states.tsx";
import { counted, inFigures } from "../../words/amounts.ts";
import { FilterFields, SearchField, StatusTabs } from "./filter-bar.tsx";
import { addressOf, readFilter, type Filter } from "./filter.ts";
import { useFound, type Found } from "./found.ts";
import { MemoryList } from "./memory-list.tsx";
import { readTyped } from "./narrow.ts";
import { NewMemoryDialog } from "./new-memory.tsx";
import { SelectionBar } from "./selection-bar.tsx";
import { useSelection, type Selection } from "./selection.ts";
import "../../styles/memories.css";

/** All memories: what is in use, what waits for review, what is in the trash; to be searched, filtered, read and put in order. */
export function Page() {
  const filter = readFilter(useQueryParams());
  const [isWriting, setWriting] = useState(false);
  const write = useCallback(() => setWriting(true), []);
  useShortcut("n", "New memory", write);
  return (
    <Frame
      title="Memories"
      actions={
        <button type="button" className="primary" onClick={write}>
          New memory
        </button>
      }
    >
      <StatusTabs filter={filter} />
      <Listing key={filter.status} filter={filter} />
      <NewMemoryDialog isOpen={isWriting} close={() => setWriting(false)} />
    </Frame>
  );
}

function Listing({ filter }: { readonly filter: Filter }) {
  const [words, setWords] = useState(rememberedWords);
  const found = useFound(filter, useDeferredValue(words));
  const selection = useSelection(found.rows);
  const search = (typed: string) => {
    setWords(typed);
    rememberWords(typed);
  };
  const change = (changed: Filter) => {
    navigate(addressOf(changed), { replace: true });
    rememberWords(words);
  };
  return (
    <>
      <SearchField words={words} search={search} />
      <FilterFields filter={filter} change={change} />
      <ListHead found={found} selection={selection} status={filter.status} />
      <Rows
        found={found}
        filter={filter}
        words={words}
        selection={selection}
        reset={() => {
          search("");
          navigate(addressOf({ status: filter.status }), { replace: true });
        }}
      />
      {selection.chosen.size === 0 ? null : (
        <SelectionBar selection={selection} status={filter.status} />
      )}
    </>
  );
}

/** How many there are, and what can be done with all of them. */
function ListHead({
  found,
  selection,
  status,
}: {
  readonly found: Found;
  readonly selection: Selection;
  readonly status: Status;
}) {
  const change = useChangeMany();
  const { rows, total } = found;
  if (rows.length === 0) return null;
  const ids = rows.slice(0, MOST_AT_ONCE).map(({ id }) => id);
  const all = total === ids.length ? `all ${inFigures(ids.length)}` : `these ${ids.length}`;
  return (
    <div className="list-head">
      <p role="status">
        {found.isGuess
          ? "Nothing holds these words. Perhaps one of these helps:"
          : total === null
            ? `${counted(rows.length, "memory", "memories")} found`
            : counted(total, "memory", "memories")}
      </p>
      <div className="list-actions">
        {status !== "pending" ? null : (
          <>
            <button
              type="button"
              className="primary"
              disabled={change.isPending}
              onClick={() => change.mutate({ ids, status: "active", done: "Approved" })}
            >
              Approve {all}
            </button>
            <button
              type="button"
              disabled={change.isPending}
              onClick={() => change.mutate({ ids, status: "trashed", done: "Discarded" })}
            >
              Discard {all}
            </button>
          </>
        )}
        <button type="button" className="quiet" onClick={selection.chooseAll}>
          Choose {all}
        </button>
      </div>
    </div>
  );
}

function Rows({
  found,
  filter,
  words,
  selection,
  reset,
}: {
  readonly found: Found;
  readonly filter: Filter;
  readonly words: string;
  readonly selection: Selection;
  readonly reset: () => void;
}) {
  const change = useChangeMany();
  if (found.problem !== null) return <Problem problem={found.problem} retry={found.retry} />;
  if (found.isOffline) return <Problem problem={NO_CONNECTION} />;
  if (found.isLoading) return <Loading lines={8} />;
  if (found.rows.length === 0) return <Nothing filter={filter} words={words} reset={reset} />;
  const actionsOf = (memory: FoundMemory) => (
    <>
      <button
        type="button"
        className="quiet"
        disabled={change.isPending}
        aria-label={`${filter.status === "pending" ? "Approve" : "Restore"}: ${nameOf(memory)}`}
        onClick={() =>
          change.mutate({
            ids: [memory.id],
            status: "active",
            done: filter.status === "pending" ? "Approved" : "Restored",
          })
        }
      >
        {filter.status === "pending" ? "Approve" : "Restore"}
      </button>
      {filter.status === "trashed" ? null : (
        <button
          type="button"
          className="quiet"
          disabled={change.isPending}
          aria-label={`Discard: ${nameOf(memory)}`}
          onClick={() => change.mutate({ ids: [memory.id], status: "trashed", done: "Discarded" })}
        >
          Discard
        </button>
      )}
    </>
  );
  const { last } = readTyped(words);
  return (
    <MemoryList
      found={found}
      marks={last === null ? [] : [last]}
      selection={selection}
      actionsOf={filter.status === "active" ? null : actionsOf}
    />
  );
}

function Nothing({
  filter,
  words,
  reset,
}: {
  readonly filter: Filter;
  readonly words: string;
  readonly reset: () => void;
}) {
  if (words.trim() !== "" || Object.keys(filter).length > 1) {
    return (
      <Empty
        title="Nothing fits."
        icon="search"
        actions={
          <button type="button" onClick={reset}>
            Show all
          </button>
        }
      >
        Try fewer words, or fewer filters.
      </Empty>
    );
  }
  switch (filter.status) {
    case "active":
      return (
        <Empty
          title="No memories yet."
          icon="memories"
          actions={
            <Link to="/import" className="button">
              Import from another assistant
            </Link>
          }
        >
          What your assistants learn about you appears here, and what you write yourself.
        </Empty>
      );
    case "pending":
      return (
        <Empty title="Nothing waits for you." icon="check">
          When your rules hold back what an assistant wants to save, you decide about it here.
        </Empty>
      );
    case "trashed":
      return <Empty title="The trash is empty.">What you throw away stays here for 30 days.</Empty>;
  }
}

/** What was typed stays with the entry of the browser's history: the address, which ends up in logs, never has it. */
function rememberedWords(): string {
  const state: unknown = history.state;
  const isKept = typeof state === "object" && state !== null && "words" in state;
  return isKept && typeof state.words === "string" ? state.words : "";
}

function rememberWords(words: string): void {
  history.replaceState({ words }, "", location.href);
}

const NO_CONNECTION = new ApiProblem(
  "offline",
  "There is no connection.",
  "This goes on by itself when it is back.",
);
