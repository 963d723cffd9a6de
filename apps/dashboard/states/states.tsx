/** What a page shows when it has nothing to show: it waits, there is nothing, or something is in the way. The same on every page. */
import type { ReactNode } from "react";
import type { ApiProblem } from "../api.ts";
import { Icon, type IconName } from "../shell/icon.tsx";

/** Grey lines in the place of what is on its way. @param lines about as many as there will be */
export function Loading({ lines = 4 }: { readonly lines?: number }) {
  return (
    <div className="loading" role="status">
      <span className="sr-only">Loading …</span>
      {Array.from({ length: lines }, (_, index) => (
        <div key={index} className="loading-line" aria-hidden="true" />
      ))}
    </div>
  );
}

/** Nothing is here, why that is, and what to do about it. */
export function Empty({
  title,
  icon = "empty",
  actions,
  children,
}: {
  readonly title: string;
  readonly icon?: IconName;
  readonly actions?: ReactNode;
  readonly children?: ReactNode;
}) {
  return (
    <div className="state">
      <Icon name={icon} size={32} />
      <p className="state-title">{title}</p>
      {children === undefined ? null : <div className="state-words">{children}</div>}
      {actions === undefined ? null : <div className="actions">{actions}</div>}
    </div>
  );
}

const PROBLEM_ICONS: Readonly<Record<string, IconName>> = {
  offline: "offline",
  forbidden: "lock",
  signed_out: "lock",
  not_found: "search",
};

/** In the place of what could not be read: refused, gone, no connection, or a fault. @param retry asks again */
export function Problem({
  problem,
  retry,
}: {
  readonly problem: ApiProblem;
  readonly retry?: (() => void) | undefined;
}) {
  const { code, message, hint } = problem;
  const next = encodeURIComponent(location.pathname + location.search);
  const isForGood = code === "forbidden" || code === "not_found" || code === "signed_out";
  return (
    <div className="state" role="alert" data-problem={code}>
      <Icon name={PROBLEM_ICONS[code] ?? "alert"} size={32} />
      <p className="state-title">{message}</p>
      {hint === "" ? null : <p className="state-words">{hint}</p>}
      <div className="actions">
        {code === "signed_out" ? (
          <a className="button primary" href={`/sign-in?next=${next}`}>
            Sign in
          </a>
        ) : null}
        {isForGood || retry === undefined ? null : (
          <button type="button" onClick={retry}>
            Try again
          </button>
        )}
      </div>
    </div>
  );
}
