import { useEffect, useRef, type ReactNode } from "react";
import { hasNavigated } from "./router.tsx";

/**
 * The frame of every page: title, heading, what can be done on all of it. After a navigation the heading has the focus, so that keyboard
 * and screen reader begin there.
 */
export function Page({
  title,
  lead,
  actions,
  children,
}: {
  readonly title: string;
  /** A sentence under the heading. */
  readonly lead?: ReactNode;
  /** Buttons beside the heading. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Cofio`;
  }, [title]);
  useEffect(() => {
    if (hasNavigated()) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <>
      <div className="page-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead === undefined ? null : <p className="lead">{lead}</p>}
        </div>
        {actions === undefined ? null : <div className="page-actions">{actions}</div>}
      </div>
      {children}
    </>
  );
}

/** A part of a page with a heading of its own. */
export function Card({
  title,
  more,
  children,
}: {
  readonly title: string;
  /** Beside the heading, such as a link to all of it. */
  readonly more?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <section className="card">
      <div className="card-head">
        <h2>{title}</h2>
        {more}
      </div>
      {children}
    </section>
  );
}
