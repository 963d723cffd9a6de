import type { ReactNode } from "react";

/** A step of the import: its heading has the focus when it begins. */
export function StepCard({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ReactNode;
}) {
  return (
    <section className="card import-step">
      <h2 tabIndex={-1}>{title}</h2>
      {children}
    </section>
  );
}
