/** A list of any length in the page's own scroll: only what is in view is there, and what comes next is read when its end is near. */
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState, type Key, type ReactNode } from "react";
import "../styles/lists.css";

/** Rows beyond what is in view, so that quick scrolling shows no gaps. Arbitrary. */
const OVERSCAN = 8;

/** What an infinite query says of its next page. */
interface Paging {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  readonly fetchNextPage: () => unknown;
}

/** @param rowHeight about as high as most rows are, in pixels; each is measured when it is shown */
export function EndlessList<Item>({
  label,
  items,
  paging,
  rowHeight,
  keyOf,
  children,
}: {
  /** For screen readers: what is listed. */
  readonly label: string;
  readonly items: readonly Item[];
  readonly paging: Paging;
  readonly rowHeight: number;
  readonly keyOf: (item: Item) => Key;
  /** A row. @param before the item above it, for headings between them */
  readonly children: (item: Item, before: Item | undefined) => ReactNode;
}) {
  const list = useRef<HTMLUListElement>(null);
  const top = useTopOf(list);
  const rows = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN,
    scrollMargin: top,
    getItemKey: (index) => {
      const item = items[index];
      return item === undefined ? index : keyOf(item);
    },
  });
  const shown = rows.getVirtualItems();
  const isAtEnd = (shown.at(-1)?.index ?? 0) >= items.length - OVERSCAN;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = paging;
  useEffect(() => {
    if (isAtEnd && hasNextPage && !isFetchingNextPage) fetchNextPage();
  }, [isAtEnd, hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <>
      <ul ref={list} className="endless" aria-label={label} style={{ height: rows.getTotalSize() }}>
        {shown.map(({ index, key, start }) => {
          const item = items[index];
          return item === undefined ? null : (
            <li
              key={key}
              ref={rows.measureElement}
              data-index={index}
              aria-setsize={hasNextPage ? -1 : items.length}
              aria-posinset={index + 1}
              style={{ transform: `translateY(${start - top}px)` }}
            >
              {children(item, items[index - 1])}
            </li>
          );
        })}
      </ul>
      <p className="endless-more" role="status">
        {isFetchingNextPage ? "Reading more …" : ""}
      </p>
    </>
  );
}

/** Where an element begins in the page, also after what stands above it has changed. */
export function useTopOf(element: { readonly current: HTMLElement | null }): number {
  const [top, setTop] = useState(0);
  // After every render: it costs one measurement, and changes nothing as long as the place is the same.
  useLayoutEffect(() => {
    if (element.current === null) return;
    setTop(Math.round(element.current.getBoundingClientRect().top + scrollY));
  });
  return top;
}
