/** The page of the address, loaded when it is first opened. */
import { Component, lazy, Suspense, type ComponentType, type ReactNode } from "react";
import { ApiProblem } from "../api.ts";
import { ROUTES } from "../routes.ts";
import { Empty, Loading, Problem } from "../states/states.tsx";
import { Page } from "./page.tsx";
import { findPlace, Link, usePathname } from "./router.tsx";

const PAGES = new Map<unknown, ComponentType<Record<string, string>>>(
  ROUTES.map((route) => [route, lazy(async () => ({ default: (await route.load()).Page }))]),
);

export function CurrentPage() {
  const pathname = usePathname();
  const place = findPlace(pathname);
  const Shown = PAGES.get(place?.route);
  if (place === null || Shown === undefined) return <NoSuchPage />;
  return (
    <FaultBoundary key={pathname}>
      <Suspense fallback={<Loading lines={6} />}>
        <Shown {...place.params} />
      </Suspense>
    </FaultBoundary>
  );
}

function NoSuchPage() {
  return (
    <Page title="Not found">
      <Empty
        title="There is no page here."
        icon="search"
        actions={
          <Link to="/" className="button">
            To the start
          </Link>
        }
      />
    </Page>
  );
}

/** A page that cannot be loaded, mostly because the server has a newer one by now, or that failed. React knows it only as a class. */
class FaultBoundary extends Component<
  { readonly children: ReactNode },
  { readonly fault: unknown }
> {
  override state: { readonly fault: unknown } = { fault: null };

  static getDerivedStateFromError(fault: unknown) {
    return { fault };
  }

  override render() {
    if (this.state.fault === null) return this.props.children;
    const problem = navigator.onLine ? FAULT : OFFLINE;
    return <Problem problem={problem} retry={() => location.reload()} />;
  }
}

const FAULT = new ApiProblem(
  "fault",
  "This page could not be shown.",
  "Load it again: there may be a newer version of it.",
);

const OFFLINE = new ApiProblem(
  "offline",
  "There is no connection, and this page was not loaded yet.",
  "Load it when the connection is back.",
);
