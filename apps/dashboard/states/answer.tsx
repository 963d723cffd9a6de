import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiProblem, toProblem } from "../api.ts";
import { Loading, Problem } from "./states.tsx";

/** Of a query, also one that is read page by page. */
interface Asked<Data> extends Pick<
  UseQueryResult<Data>,
  "data" | "isError" | "error" | "fetchStatus"
> {
  readonly refetch: () => unknown;
}

/**
 * What a query answered, or the state that stands for it. Data that is there stays while it is read again, also when that fails.
 * @param loading in place of the usual grey lines
 */
export function Answer<Data>({
  query,
  loading = <Loading />,
  children,
}: {
  readonly query: Asked<Data>;
  readonly loading?: ReactNode;
  readonly children: (data: Data) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  const retry = () => void query.refetch();
  if (query.isError) return <Problem problem={toProblem(query.error)} retry={retry} />;
  if (query.fetchStatus === "paused") return <Problem problem={NO_CONNECTION} />;
  return loading;
}

const NO_CONNECTION = new ApiProblem(
  "offline",
  "There is no connection.",
  "This goes on by itself when it is back.",
);
