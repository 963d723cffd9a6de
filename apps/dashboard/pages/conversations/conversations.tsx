import { useInfiniteQuery } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { useState } from "react";
import { answerOf, api } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { EndlessList } from "../../lists/endless-list.tsx";
import { Page as Frame } from "../../shell/page.tsx";
import { Link, useQueryParams } from "../../shell/router.tsx";
import { Answer } from "../../states/answer.tsx";
import { Empty } from "../../states/states.tsx";
import { counted, dayText, monthText } from "../../words/amounts.ts";
import { platformName } from "../../words/platform.ts";
import { FilterBar } from "./filter-bar.tsx";
import { askedOf, filtersIn, isFiltered, showFiltered, type Filters } from "./filters.ts";
import { Hits } from "./hits.tsx";
import "../../styles/conversations.css";

type Conversation = InferResponseType<typeof api.conversations.$get>["conversations"][number];

const PAGE = 50;
/** As many as one request moves to the trash. */
const MOST_TICKED = 64;
const ROW_PX = 66;

/** What was said to assistants, as it was imported: by platform and date, or by words. */
export function Page() {
  const filters = filtersIn(useQueryParams());
  return (
    <Frame
      title="Conversations"
      lead="Your chats with assistants, from the files you imported. Assistants can look things up in them."
    >
      <FilterBar filters={filters} />
      <section className="card">
        {filters.query === "" ? <Listed filters={filters} /> : <Hits filters={filters} />}
      </section>
    </Frame>
  );
}

function Listed({ filters }: { readonly filters: Filters }) {
  const asked = { ...askedOf(filters), order: filters.order, limit: PAGE };
  const pages = useInfiniteQuery({
    queryKey: ["conversations", "list", asked],
    queryFn: ({ pageParam }) =>
      answerOf(
        api.conversations.$get({
          query: { ...asked, ...(pageParam === null ? {} : { cursor: pageParam }) },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor: next }) => next ?? null,
  });
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const tick = (id: string, isTicked: boolean) => {
    const next = new Set(ticked);
    if (isTicked) next.add(id);
    else next.delete(id);
    setTicked(next);
  };
  return (
    <Answer query={pages}>
      {({ pages: read }) => {
        const items = read.flatMap(({ conversations }) => conversations);
        const total = read[0]?.total ?? 0;
        if (items.length === 0) return <Nothing filters={filters} />;
        const chosen = items.filter(({ id }) => ticked.has(id));
        return (
          <>
            <Ticked chosen={chosen} total={total} clear={() => setTicked(new Set())} />
            <EndlessList
              label="Conversations"
              items={items}
              paging={pages}
              rowHeight={ROW_PX}
              keyOf={({ id }) => id}
            >
              {(conversation, before) => (
                <>
                  {before !== undefined && isSameMonth(conversation, before) ? null : (
                    <h2 className="list-heading">{monthText(conversation.updated_at)}</h2>
                  )}
                  <ConversationRow
                    conversation={conversation}
                    isTicked={ticked.has(conversation.id)}
                    canTick={chosen.length < MOST_TICKED}
                    tick={tick}
                  />
                </>
              )}
            </EndlessList>
          </>
        );
      }}
    </Answer>
  );
}

function ConversationRow({
  conversation: { id, title, platform, project, message_count: messages, updated_at: updated },
  isTicked,
  canTick,
  tick,
}: {
  readonly conversation: Conversation;
  readonly isTicked: boolean;
  readonly canTick: boolean;
  readonly tick: (id: string, isTicked: boolean) => void;
}) {
  const name = title === "" ? "Untitled" : title;
  return (
    <div className="list-row">
      <label className="tick">
        <input
          type="checkbox"
          checked={isTicked}
          disabled={!isTicked && !canTick}
          onChange={({ target }) => tick(id, target.checked)}
        />
        <span className="sr-only">Select {name}</span>
      </label>
      <div className="row-words">
        <Link to={`/conversations/${id}`} className="one-line">
          <bdi>{name}</bdi>
        </Link>
        <small>
          {platformName(platform)} · {counted(messages, "message")} ·{" "}
          <time dateTime={updated}>{dayText(updated)}</time>
          {project === undefined ? null : (
            <>
              {" "}
              · <bdi>{project}</bdi>
            </>
          )}
        </small>
      </div>
    </div>
  );
}

/** How many there are, or what can be done with those that are ticked. */
function Ticked({
  chosen,
  total,
  clear,
}: {
  readonly chosen: readonly Conversation[];
  readonly total: number;
  readonly clear: () => void;
}) {
  const remove = useChange({
    make: (ids: string[]) =>
      answerOf(api.conversations.delete.$post({ json: { ids } })).then((answer) => {
        clear();
        return answer;
      }),
    say: ({ deleted }) => `Moved ${counted(deleted.length, "conversation")} to the trash.`,
  });
  return (
    <div className="ticked" role="status" data-ticked={chosen.length > 0}>
      <span>
        {chosen.length === 0
          ? counted(total, "conversation")
          : `${chosen.length} of ${counted(total, "conversation")} selected`}
      </span>
      {chosen.length === 0 ? null : (
        <>
          <button
            type="button"
            className="danger"
            disabled={remove.isPending}
            onClick={() => remove.mutate(chosen.map(({ id }) => id))}
          >
            Move to the trash
          </button>
          <button type="button" className="quiet" onClick={clear}>
            Select none
          </button>
        </>
      )}
    </div>
  );
}

function Nothing({ filters }: { readonly filters: Filters }) {
  if (!isFiltered(filters)) {
    return (
      <Empty
        title="No conversations yet."
        icon="conversations"
        actions={
          <Link to="/import" className="button primary">
            Import files
          </Link>
        }
      >
        Bring your chats from ChatGPT, Claude, Gemini and others. They can then be read and searched
        here, and by the assistants you allow.
      </Empty>
    );
  }
  return (
    <Empty
      title="No conversation is of this platform and time."
      icon="search"
      actions={
        <button
          type="button"
          onClick={() => showFiltered({ ...filters, platform: null, from: "", to: "" })}
        >
          Show all
        </button>
      }
    />
  );
}

function isSameMonth(one: Conversation, other: Conversation): boolean {
  return monthText(one.updated_at) === monthText(other.updated_at);
}
