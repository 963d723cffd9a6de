/** Which page is shown, by the browser's own history. */
import {
  useSyncExternalStore,
  type AnchorHTMLAttributes,
  type MouseEvent,
  type ReactNode,
} from "react";
import { ROUTES, type Route } from "../routes.ts";

/** Told when the address changes without a load. */
const listeners = new Set<() => void>();
let wasNavigated = false;
/** Asked before another page takes the place of this one; `go` leads there all the same. */
const keepers = new Set<(go: () => void) => void>();
/** Where the page is that is shown; behind the address when the browser went back or forward. */
let here = location.href;
// Before those of React, which reads the address.
addEventListener("popstate", (event) => {
  wasNavigated = true;
  const to = location.href;
  if (!isKept(to, { replace: false })) {
    here = to;
    return;
  }
  event.stopImmediatePropagation();
  // The browser is there already, so the page comes back as one step more.
  history.pushState(null, "", here);
});

export interface Place {
  readonly route: Route;
  /** What stands in the address for the `:names` of the route. */
  readonly params: Readonly<Record<string, string>>;
}

/** Null: there is no such page. */
export function findPlace(pathname: string): Place | null {
  for (const route of ROUTES) {
    const params = paramsOf(route.path, pathname);
    if (params !== null) return { route, params };
  }
  return null;
}

/** @param to path and query, such as `/memories?tag=work` @param replace without a step to go back to: for filters that follow typing */
export function navigate(
  to: string,
  { replace = false }: { readonly replace?: boolean } = {},
): void {
  if (!isKept(to, { replace })) go(to, replace);
}

/**
 * Holds the person on this page: `ask` is called in place of going to another one, with what goes there.
 * @returns what ends it
 */
export function keepHere(ask: (go: () => void) => void): () => void {
  keepers.add(ask);
  return () => void keepers.delete(ask);
}

function go(to: string, replace: boolean): void {
  wasNavigated = true;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  here = location.href;
  if (!replace) scrollTo(0, 0);
  for (const listener of listeners) listener();
}

/** Whether somebody was asked instead. */
function isKept(to: string, { replace }: { readonly replace: boolean }): boolean {
  const [ask] = keepers;
  const isSamePage = new URL(to, here).pathname === new URL(here).pathname;
  if (ask === undefined || isSamePage) return false;
  ask(() => go(to, replace));
  return true;
}

/** False: what is shown was loaded at this address. */
export function hasNavigated(): boolean {
  return wasNavigated;
}

export function usePathname(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/**
 * The query of the address: where a page keeps its filters, so that they outlive a reload and can be linked.
 */
export function useQueryParams(): URLSearchParams {
  return new URLSearchParams(useSyncExternalStore(subscribe, () => location.search));
}

/** A link that loads nothing anew where the dashboard has the page itself. */
export function Link({
  to,
  children,
  onClick,
  ...rest
}: Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href"> & {
  readonly to: string;
  readonly children: ReactNode;
}) {
  const open = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (event.defaultPrevented || !isPlain || event.altKey) return;
    if (findPlace(new URL(to, location.href).pathname) === null) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a href={to} onClick={open} {...rest}>
      {children}
    </a>
  );
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    removeEventListener("popstate", listener);
  };
}

/** Null: another path. */
function paramsOf(path: string, pathname: string): Record<string, string> | null {
  const wanted = path.split("/");
  const given = pathname.split("/");
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const value = given[index] ?? "";
    if (!segment.startsWith(":")) {
      if (segment !== value) return null;
    } else if (value === "") {
      return null;
    } else {
      params[segment.slice(1)] = value;
    }
  }
  return params;
}
