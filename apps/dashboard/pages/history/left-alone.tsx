import type { ReactNode } from "react";
import type { Undone } from "../../changes/change.ts";
import { findPlace, Link } from "../../shell/router.tsx";
import { counted } from "../../words/amounts.ts";

type Left = Undone["left"][number];

const REASONS: Readonly<Record<Left["reason"], string>> = {
  changed_since: "changed again later, and stay as they are now",
  duplicate: "would say the same as another memory that you have by now",
  redacted: "had text in them that was taken out for good",
};
/** More links help nobody; arbitrary. */
const MOST_NAMED = 20;

/** What an undo did not touch, and why. */
export function LeftAlone({ left }: { readonly left: readonly Left[] }) {
  const reasons = [...Map.groupBy(left, ({ reason }) => reason)];
  return (
    <ul className="left-alone">
      {reasons.map(([reason, items]) => (
        <li key={reason}>
          {counted(items.length, "item")}: {REASONS[reason]}.{" "}
          {items.slice(0, MOST_NAMED).map((item, index) => (
            <ItemLink key={item.id} item={item}>
              {item.kind} {index + 1}
            </ItemLink>
          ))}
        </li>
      ))}
    </ul>
  );
}

function ItemLink({
  item: { kind, id },
  children,
}: {
  readonly item: Left;
  readonly children: ReactNode;
}) {
  const path = kind === "memory" ? `/memories/${id}` : `/conversations/${id}`;
  return findPlace(path) === null ? null : (
    <>
      <Link to={path}>{children}</Link>{" "}
    </>
  );
}
