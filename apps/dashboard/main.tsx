/** The dashboard: see ARCHITECTURE.md for how a page is added. */
import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiProblem } from "./api.ts";
import { useLive } from "./live/live.ts";
import { CurrentPage } from "./shell/current-page.tsx";
import { Shell } from "./shell/shell.tsx";
import { Toasts } from "./states/toasts.tsx";
import "./styles/shell.css";
import "./styles/parts.css";

/** Changes are told (`live/live.ts`), so nothing is read again only because time has passed. A minute serves who has no WebSocket. */
const STALE_MS = 60_000;
const RETRIES = 2;
/** Before the first of them, and twice that before the second: a person soon wants to know what is the matter. Arbitrary. */
const RETRY_MS = 300;

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: STALE_MS,
      // A refusal stays one; a missing connection may come back.
      retry: (failures, error) =>
        error instanceof ApiProblem && error.code === "offline" && failures < RETRIES,
      retryDelay: (failures) => RETRY_MS * 2 ** failures,
    },
  },
});

function App() {
  useLive();
  return (
    <Shell>
      <CurrentPage />
    </Shell>
  );
}

const place = document.getElementById("dashboard");
if (place === null) throw new Error("The document has a place for the dashboard");
createRoot(place).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <App />
        <Toasts />
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
