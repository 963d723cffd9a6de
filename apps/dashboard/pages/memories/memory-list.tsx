/** The rows in sight, and no others, however many there are. Arrow keys move between them, with Shift they choose. */
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import {
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
} from "react";
import type { FoundMemory } from "../../memories/memory.ts";
import type { Found } from "./found.ts";
import { MemoryRow } from "./memory-row.tsx";
import type { Selection } from "./selection.ts";

/** Before a row is measured. */
const ROW_PX = 92;
/** Rows beyond both edges of the window. */
const OVERSCAN = 8;
/** Rows that stand for what is not loaded. */
const AHEAD = 3;

/** Where the list was left, by address: whoever comes back to it goes on there. */
const left = new Map<string, number>();

export function MemoryList({
  found,
  marks,
  selection,
  actionsOf,
}: {
  readonly found: Found;
  readonly marks: readonly string[];
  readonly selection: Selection;
  /** Buttons at the end of a row. */
  readonly actionsOf: ((memory: FoundMemory) => ReactNode) | null;
}) {
  const { rows, start, more, earlier } = found;
  const list = useRef<HTMLUListElement>(null);
  const [top, setTop] = useState(0);
  const [current, setCurrent] = useState(0);
  const loaded = start + rows.length;
  const count = loaded + (more === null ? 0 : AHEAD);
  const virtualizer = useWindowVirtualizer({
    count,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
    scrollMargin: top,
    getItemKey: (index) => rows[index - start]?.id ?? index,
  });
  useLayoutEffect(() => {
    const box = list.current?.getBoundingClientRect();
    if (box !== undefined) setTop(Math.round(box.top + scrollY));
  }, [rows.length, start]);
  useEffect(() => {
    const place = left.get(location.href);
    left.delete(location.href);
    if (place !== undefined) scrollTo(0, place);
  }, []);

  const items = virtualizer.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= loaded - AHEAD) more?.();
    if (first < start) earlier?.();
  });

  const move = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = Math.min(loaded - 1, Math.max(start, current + step));
    event.preventDefault();
    const target = rows[to - start];
    if (target === undefined) return;
    if (event.shiftKey) {
      const from = rows[current - start];
      if (from !== undefined && !selection.chosen.has(from.id)) selection.toggle(from, false);
      if (!selection.chosen.has(target.id)) selection.toggle(target, true);
    }
    setCurrent(to);
    virtualizer.scrollToIndex(to);
    // Once it is there.
    requestAnimationFrame(() =>
      list.current?.querySelector<HTMLElement>(`[data-index="${to}"] input`)?.focus(),
    );
  };
  const reached = current >= start && current < loaded ? current : start;

  return (
    <ul
      ref={list}
      className="memory-list"
      aria-label="Memories"
      aria-busy={found.isStale}
      style={{ height: virtualizer.getTotalSize() }}
      onKeyDown={move}
    >
      {items.map(({ index, key, start: offset }) => {
        const memory = rows[index - start];
        return (
          <li
            key={key}
            ref={virtualizer.measureElement}
            data-index={index}
            aria-setsize={found.total ?? -1}
            aria-posinset={index + 1}
            style={{ transform: `translateY(${offset - top}px)` }}
            onFocus={() => setCurrent(index)}
          >
            {memory === undefined ? (
              <div className="memory-row" aria-hidden="true">
                <div className="loading-line memory-row-loading" />
              </div>
            ) : (
              <MemoryRow
                memory={memory}
                marks={marks}
                isChosen={selection.chosen.has(memory.id)}
                isCurrent={index === reached}
                toggle={(isRange) => selection.toggle(memory, isRange)}
                open={() => left.set(location.href, scrollY)}
                actions={actionsOf?.(memory) ?? null}
              />
            )}
          </li>
        );
      })}
    </ul>
  );
}

const STEPS: Readonly<Partial<Record<string, number>>> = { ArrowDown: 1, ArrowUp: -1 };
