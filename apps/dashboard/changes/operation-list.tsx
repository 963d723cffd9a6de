import { Icon, type IconName } from "../shell/icon.tsx";
import { Moment } from "../words/moment.tsx";
import type { ReactNode } from "react";
import { findPlace, Link } from "../shell/router.tsx";
import { operationText, type Operation } from "./operation-text.ts";
import { useUndo, type Undone } from "./change.ts";
import { isJob, standingsOf, type Standing } from "./standing.ts";

const ICONS: Readonly<Record<Operation["kind"], IconName>> = {
  save: "memories",
  update: "check",
  delete: "trash",
  restore: "undo",
  import: "import",
  undo: "undo",
  rule: "rules",
  sync: "import",
};

/** What was done to the account, the latest first, each with the way back. */
export function OperationList({ operations }: { readonly operations: readonly Operation[] }) {
  const standings = standingsOf(operations);
  return (
    <ul className="rows">
      {operations.map((operation) => (
        <li key={operation.id}>
          <OperationRow operation={operation} standing={standings(operation)} />
        </li>
      ))}
    </ul>
  );
}

/** @param onUndone see `useUndo` */
export function OperationRow({
  operation,
  standing: { isUndone, action },
  onUndone,
}: {
  readonly operation: Operation;
  readonly standing: Standing;
  readonly onUndone?: ((answer: Undone) => void) | undefined;
}) {
  const undo = useUndo(onUndone);
  const text = operationText(operation);
  return (
    <>
      <Icon name={ICONS[operation.kind]} />
      <div className={isUndone ? "row-words row-undone" : "row-words"}>
        <span>
          <Subject operation={operation}>{text}</Subject>
        </span>
        <small>
          <bdi>{operation.client}</bdi> · <Moment time={operation.created_at} />
          {isUndone ? " · undone" : ""}
        </small>
      </div>
      {isUndone || action === null ? null : (
        <button
          type="button"
          className="quiet"
          aria-label={`${action}: ${text}`}
          disabled={undo.isPending}
          onClick={() => undo.mutate(operation.id)}
        >
          {action}
        </button>
      )}
    </>
  );
}

/** Leads to the one memory or conversation that it was about, once there is a page of it. */
function Subject({
  operation,
  children,
}: {
  readonly operation: Operation;
  readonly children: ReactNode;
}) {
  const { subject, counts } = operation;
  const kind = counts["memories"] === undefined ? "conversations" : "memories";
  const path = `/${kind}/${subject ?? ""}`;
  return subject === undefined || isJob(subject) || findPlace(path) === null ? (
    children
  ) : (
    <Link to={path}>{children}</Link>
  );
}
