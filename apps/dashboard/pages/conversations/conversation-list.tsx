import { useInfiniteQuery } from "@tanstack/react-query";
import type { InferRequestType, InferResponseType } from "hono/client";
import { useState, type ReactNode } from "react";
import { answerOf, api } from "../../api.ts";
import { EndlessList } from "../../lists/endless-list.tsx";
import { Link } from "../../shell/router.tsx";
import { Answer } from "../../states/answer.tsx";
import { counted, dayText, monthText } from "../../words/amounts.ts";
import { platformName } from "../../words/platform.ts";

export type Conversation = InferResponseType<
  typeof api.conversations.$get
>["conversations"][number];

const PAGE = 50;
/** As many as one request moves to the trash or out of it. */
const MOST_TICKED = 64;
const ROW_PX = 66;

/** Conversations by month, to be ticked. */
export function ConversationList({
  asked,
  nothing,
  actions,
  actionOf,
}: {
  readonly asked: Omit<
    InferRequestType<typeof api.conversations.$get>["query"],
    "limit" | "cursor"
  >;
  /** In place of a list without any. */
  readonly nothing: ReactNode;
  /** What can be done with those that are ticked. */
  readonly actions: (ids: string[], clear: () => void) => ReactNode;
  /** At the end of a row. */
  readonly actionOf?: (conversation: Conversation) => ReactNode;
}) {
  const pages = useInfiniteQuery({
    queryKey: ["conversations", "list", asked],
    queryFn: ({ pageParam }) =>
      answerOf(
        api.conversations.$get({
          query: { ...asked, limit: PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor: next }) => next ?? null,
  });
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const clear = () => setTicked(new Set());
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
        if (items.length === 0) return nothing;
        const chosen = items.filter(({ id }) => ticked.has(id)).map(({ id }) => id);
        return (
          <>
            <Ticked count={chosen.length} total={total}>
              {actions(chosen, clear)}
              <button type="button" className="quiet" onClick={clear}>
                Select none
              </button>
            </Ticked>
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
                    action={actionOf?.(conversation) ?? null}
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

export function titleOf({ title }: Conversation): string {
  return title === "" ? "Untitled" : title;
}

function ConversationRow({
  conversation,
  isTicked,
  canTick,
  tick,
  action,
}: {
  readonly conversation: Conversation;
  readonly isTicked: boolean;
  readonly canTick: boolean;
  readonly tick: (id: string, isTicked: boolean) => void;
  readonly action: ReactNode;
}) {
  const { id, platform, project, message_count: messages, updated_at: updated } = conversation;
  const { restorable_until: until } = conversation;
  const name = titleOf(conversation);
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
        {until === undefined ? (
          <Link to={`/conversations/${id}`} className="one-line">
            <bdi>{name}</bdi>
          </Link>
        ) : (
          // It can be read again once it is restored.
          <span className="one-line">
            <bdi>{name}</bdi>
          </span>
        )}
        <small>
          {until === undefined ? null : <>Kept until {dayText(until)} · </>}
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
      {action}
    </div>
  );
}

/** How many there are, or what can be done with those that are ticked. */
function Ticked({
  count,
  total,
  children,
}: {
  readonly count: number;
  readonly total: number;
  readonly children: ReactNode;
}) {
  return (
    <div className="ticked" data-ticked={count > 0}>
      <span role="status">
        {count === 0
          ? counted(total, "conversation")
          : `${count} of ${counted(total, "conversation")} chosen`}
        {count < MOST_TICKED ? "" : ", the most at once"}
      </span>
      {count === 0 ? null : children}
    </div>
  );
}

function isSameMonth(one: Conversation, other: Conversation): boolean {
  return monthText(one.updated_at) === monthText(other.updated_at);
}
