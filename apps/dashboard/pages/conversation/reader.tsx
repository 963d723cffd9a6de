import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTopOf } from "../../lists/endless-list.tsx";
import { Empty } from "../../states/states.tsx";
import { inFigures, momentText } from "../../words/amounts.ts";
import { speakerName } from "../../words/speaker.ts";
import { MessageText } from "./message-text.tsx";
import { useMessages, type Conversation, type Message, type Opening } from "./messages.ts";
import { SaveMemory, type Draft } from "./save-memory.tsx";
import { SearchInside, type Place } from "./search-inside.tsx";
import { SelectionBar } from "./selection-bar.tsx";

/** As high as most messages are. */
const MESSAGE_PX = 160;
const OVERSCAN = 4;
/** Between what stands above all messages and the message that is looked for. */
const ROOM_PX = 16;

export function Reader({ id, opening }: { readonly id: string; readonly opening: Opening }) {
  const { conversation, end, position } = opening;
  const [place, setPlace] = useState<Place | null>(
    position === null ? null : { position, words: [], asker: null },
  );
  const [draft, setDraft] = useState<Draft | null>(null);
  const bar = useRef<HTMLDivElement>(null);
  const covered = useCoveredBy(bar) + ROOM_PX;
  const list = useRef<HTMLDivElement>(null);
  const top = useTopOf(list);
  const rows = useWindowVirtualizer({
    count: end,
    estimateSize: () => MESSAGE_PX,
    overscan: OVERSCAN,
    scrollMargin: top,
    scrollPaddingStart: covered,
  });
  const shown = rows.getVirtualItems();
  const messages = useMessages(
    id,
    end,
    shown.map(({ index }) => index),
  );
  const isThere = place !== null && messages.has(place.position);
  // So that nobody who has scrolled on is brought back.
  const reached = useRef<Place | null>(null);
  const isLaidOut = top > 0;
  useEffect(() => {
    if (place === null || !isLaidOut || reached.current === place) return;
    rows.scrollToIndex(place.position, { align: "start" });
    if (!isThere) return;
    // Twice, because only now its height and that of its neighbours are known.
    reached.current = place;
    const { activeElement, body } = document;
    // Whoever has gone on while the answer was under way stays where they are.
    if (place.asker !== null && activeElement !== place.asker && activeElement !== body) return;
    list.current
      ?.querySelector<HTMLElement>(`[data-index="${place.position}"] article`)
      ?.focus({ preventScroll: true });
  }, [rows, place, isThere, isLaidOut]);
  if (end === 0) return <Empty title="This conversation has no messages." icon="conversations" />;
  const first = (shown.find(({ end: below }) => below > scrollY + covered)?.index ?? 0) + 1;
  return (
    <>
      <div className="reader-bar" ref={bar}>
        <SearchInside id={id} show={setPlace} />
        <div className="reader-place">
          <span>
            {inFigures(first)} of {inFigures(end)}
          </span>
          <button
            type="button"
            className="quiet"
            onClick={({ currentTarget: asker }) => setPlace({ position: 0, words: [], asker })}
          >
            Start
          </button>
          <button
            type="button"
            className="quiet"
            onClick={({ currentTarget: asker }) =>
              setPlace({ position: end - 1, words: [], asker })
            }
          >
            End
          </button>
        </div>
      </div>
      <div
        ref={list}
        className="endless"
        role="feed"
        aria-label="Messages"
        style={{ height: rows.getTotalSize() }}
      >
        {shown.map(({ index, key, start }) => (
          <div
            key={key}
            ref={rows.measureElement}
            data-index={index}
            className="message-place"
            style={{ transform: `translateY(${start - top}px)` }}
          >
            <MessageRow
              message={messages.get(index)}
              conversation={conversation}
              index={index}
              end={end}
              words={place?.position === index ? place.words : null}
              save={setDraft}
            />
          </div>
        ))}
      </div>
      <SelectionBar within={list} save={setDraft} />
      <SaveMemory draft={draft} close={() => setDraft(null)} />
    </>
  );
}

/** How much of the screen an element that sticks to its top takes, in pixels. */
function useCoveredBy(element: { readonly current: HTMLElement | null }): number {
  const [covered, setCovered] = useState(0);
  useLayoutEffect(() => {
    if (element.current === null) return;
    const top = Number.parseFloat(getComputedStyle(element.current).top);
    setCovered(Math.round(top + element.current.offsetHeight));
  });
  return covered;
}

function MessageRow({
  message,
  conversation: { platform },
  index,
  end,
  words,
  save,
}: {
  /** Undefined: it is being read. */
  readonly message: Message | undefined;
  readonly conversation: Conversation;
  readonly index: number;
  readonly end: number;
  /** Null: another one is looked for. */
  readonly words: readonly string[] | null;
  readonly save: (draft: Draft) => void;
}) {
  if (message === undefined) {
    return (
      <div className="message">
        <span className="sr-only">Loading …</span>
        <div className="loading-line" aria-hidden="true" />
      </div>
    );
  }
  const { role, name, model, text, created_at: time } = message;
  const speaker = name ?? speakerName(role, platform);
  return (
    <article
      className="message"
      data-role={role}
      data-found={words !== null}
      tabIndex={-1}
      aria-label={`${speaker}, message ${index + 1}`}
      aria-posinset={index + 1}
      aria-setsize={end}
    >
      <header>
        <b>
          <bdi>{speaker}</bdi>
        </b>
        <small>
          {time === undefined ? null : <time dateTime={time}>{momentText(time)}</time>}
          {model === undefined ? null : (
            <>
              {time === undefined ? "" : " · "}
              <bdi>{model}</bdi>
            </>
          )}
        </small>
        <button
          type="button"
          className="quiet"
          aria-label={`Remember message ${index + 1}`}
          onClick={() => save({ text, isOwn: role === "user" })}
        >
          Remember
        </button>
      </header>
      <MessageText text={text} words={words ?? []} />
    </article>
  );
}
