import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { answerOf, api } from "../../api.ts";
import { EndlessList } from "../../lists/endless-list.tsx";
import { Link } from "../../shell/router.tsx";
import { Answer } from "../../states/answer.tsx";
import { Empty } from "../../states/states.tsx";
import { counted, dayText } from "../../words/amounts.ts";
import { marked, wordsOf } from "../../words/marked.tsx";
import { platformName } from "../../words/platform.ts";
import { speakerName } from "../../words/speaker.ts";
import { askedOf, type Filters } from "./filters.ts";

type Hit = InferResponseType<typeof api.conversations.search.$post>["results"][number];

const PAGE = 20;
const HIT_PX = 150;

/** The messages that a search found, the best first, each with what was said around it. */
export function Hits({ filters }: { readonly filters: Filters }) {
  const asked = { ...askedOf(filters), query: filters.query, limit: PAGE };
  const pages = useInfiniteQuery({
    queryKey: ["conversations", "search", asked],
    queryFn: ({ pageParam }) =>
      answerOf(
        api.conversations.search.$post({
          json: { ...asked, ...(pageParam === null ? {} : { cursor: pageParam }) },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor: next }) => next ?? null,
    // While more is typed.
    placeholderData: keepPreviousData,
  });
  return (
    <Answer query={pages}>
      {({ pages: read }) => {
        const hits = read.flatMap(({ results }) => results);
        const total = read[0]?.total ?? 0;
        return hits.length === 0 ? (
          <Empty title="Nothing was found." icon="search">
            Try fewer or other words, or a longer time.
          </Empty>
        ) : (
          <div aria-busy={pages.isPlaceholderData}>
            <p className="list-note" role="status">
              {counted(total, "message")}, the best first
            </p>
            <EndlessList
              label="Messages found"
              items={hits}
              paging={pages}
              rowHeight={HIT_PX}
              keyOf={({ conversation, message }) => `${conversation.id} ${message.id}`}
            >
              {(hit) => <HitRow hit={hit} />}
            </EndlessList>
          </div>
        );
      }}
    </Answer>
  );
}

function HitRow({ hit }: { readonly hit: Hit }) {
  const { conversation, message, before, after, why } = hit;
  const { platform } = conversation;
  const time = message.created_at ?? conversation.updated_at;
  return (
    <article className="hit">
      <Link
        to={`/conversations/${conversation.id}?message=${encodeURIComponent(message.id)}`}
        className="one-line"
      >
        <bdi>{conversation.title === "" ? "Untitled" : conversation.title}</bdi>
      </Link>
      <small>
        {platformName(platform)} · <time dateTime={time}>{dayText(time)}</time>
      </small>
      {before === undefined ? null : (
        <p className="hit-near one-line">
          {speakerName(before.role, platform)}: <bdi>{before.text}</bdi>
        </p>
      )}
      <blockquote dir="auto">
        <b>{speakerName(message.role, platform)}:</b> {marked(message.snippet, wordsOf(why))}
      </blockquote>
      {after === undefined ? null : (
        <p className="hit-near one-line">
          {speakerName(after.role, platform)}: <bdi>{after.text}</bdi>
        </p>
      )}
      <small>
        Found by <bdi>{why.join("; ")}</bdi>
      </small>
    </article>
  );
}
