import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import type { ReactNode } from "react";
import { account, KEYS } from "../../account/account.ts";
import { answerOf, api } from "../../api.ts";
import { OperationList } from "../../changes/operation-list.tsx";
import { Icon } from "../../shell/icon.tsx";
import { Card, Page as Frame } from "../../shell/page.tsx";
import { findPlace, Link } from "../../shell/router.tsx";
import { Answer } from "../../states/answer.tsx";
import { Empty } from "../../states/states.tsx";
import { bytesText, counted, inFigures } from "../../words/amounts.ts";
import { Backups } from "./backups.tsx";
import { NextSteps } from "./next-steps.tsx";
import { SavedOverTime } from "./saved-over-time.tsx";

type Stats = InferResponseType<typeof api.stats.$get>;

/** Enough to see what was done lately; `/history` has all. */
const RECENT = 8;

/** The account at a glance: how much there is, when it came, what was done lately, whether it is safe. */
export function Page() {
  const stats = useQuery({ queryKey: ["stats"], queryFn: () => answerOf(api.stats.$get()) });
  const apps = useQuery({
    queryKey: KEYS.appCount,
    queryFn: () => answerOf(account.apps.count.$get()),
  });
  return (
    <Frame title="Home">
      <Answer query={stats} loading={<FiguresLoading />}>
        {(stats) => (
          <>
            <Waiting count={stats.memories.pending} />
            <BackupTrouble problem={stats.backup_problem} />
            <Figures stats={stats} apps={apps} />
          </>
        )}
      </Answer>
      {stats.data !== undefined && isFresh(stats.data) ? (
        <NextSteps />
      ) : (
        // In its place from the first moment, so that nothing moves; drawn when it is known that there is something.
        <SavedOverTime isDrawn={!stats.isPending} />
      )}
      <div className="columns">
        <Recent />
        <Backups />
      </div>
    </Frame>
  );
}

function Figures({
  stats,
  apps,
}: {
  readonly stats: Stats;
  readonly apps: Pick<UseQueryResult<{ readonly apps: number }>, "data" | "isError">;
}) {
  const { memories, conversations, quota, bytes } = stats;
  return (
    <dl className="figures" aria-label="Your account">
      <Figure name="Memories" value={inFigures(memories.active)}>
        of at most {inFigures(quota.memories_limit)}
      </Figure>
      <Figure name="Conversations" value={inFigures(conversations.total)}>
        {counted(conversations.messages, "message")}
      </Figure>
      <Figure name="Apps" value={apps.data === undefined ? "–" : inFigures(apps.data.apps)}>
        {apps.data === undefined && apps.isError ? "could not be counted" : "connected"}
      </Figure>
      <Figure name="Storage" value={bytesText(bytes)}>
        {quota.bytes_limit === undefined
          ? "encrypted at rest"
          : `of at most ${bytesText(quota.bytes_limit)}`}
      </Figure>
    </dl>
  );
}

function Figure({
  name,
  value,
  children,
}: {
  readonly name: string;
  readonly value: string;
  readonly children: ReactNode;
}) {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>{value}</dd>
      <dd className="figure-note">{children}</dd>
    </div>
  );
}

function FiguresLoading() {
  return (
    <div className="figures" role="status">
      <span className="sr-only">Loading …</span>
      {["a", "b", "c", "d"].map((key) => (
        <div key={key} className="figure figure-loading" aria-hidden="true" />
      ))}
    </div>
  );
}

/** Memories that an assistant saved and the person's rules hold back. */
function Waiting({ count }: { readonly count: number }) {
  if (count === 0) return null;
  const text = `${counted(count, "memory waits", "memories wait")} for your review`;
  return (
    <p className="banner">
      <Icon name="memories" />
      {findPlace("/memories") === null ? (
        <span>{text}</span>
      ) : (
        <Link to="/memories?status=pending">{text}</Link>
      )}
    </p>
  );
}

/** A night without a backup is noticed by nobody who is not told. */
function BackupTrouble({ problem }: { readonly problem: string | undefined }) {
  if (problem === undefined) return null;
  return (
    <p className="banner" role="alert">
      <Icon name="alert" />
      <span>
        {problem} <Link to="/export">Backups</Link>
      </span>
    </p>
  );
}

function Recent() {
  const operations = useQuery({
    queryKey: ["operations", "recent"],
    queryFn: () => answerOf(api.operations.$get({ query: { limit: RECENT } })),
  });
  return (
    <Card
      title="Recent changes"
      more={findPlace("/history") === null ? null : <Link to="/history">All changes</Link>}
    >
      <Answer query={operations}>
        {({ operations }) =>
          operations.length === 0 ? (
            <Empty title="Nothing was changed yet.">
              What your assistants save, and what you change or import, is listed here, and can be
              undone.
            </Empty>
          ) : (
            <OperationList operations={operations} />
          )
        }
      </Answer>
    </Card>
  );
}

/** Nothing was saved or imported yet. */
function isFresh({ memories, conversations }: Stats): boolean {
  return memories.active + memories.pending + memories.trashed + conversations.total === 0;
}
