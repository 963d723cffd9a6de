import { useInfiniteQuery } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { answerOf, api, toProblem } from "../../api.ts";
import { draftOf, type Draft } from "../../memories/draft.ts";
import { CATEGORY_NAMES, IMPORTANCE_NAMES, type Memory } from "../../memories/memory.ts";
import { Card } from "../../shell/page.tsx";
import { Loading, Problem } from "../../states/states.tsx";
import { Moment } from "../../words/moment.tsx";
import { Difference } from "./difference.tsx";

type Version = InferResponseType<
  (typeof api.memories)[":id"]["versions"]["$get"]
>["versions"][number];

const PAGE = 20;

const CHANGES: Readonly<Partial<Record<string, string>>> = {
  save: "Saved",
  update: "Changed",
  delete: "Moved to the trash",
  restore: "Restored",
  import: "Imported",
  undo: "Brought back by an undo",
  rule: "Changed by one of your rules",
};

/** What a memory said since when, who wrote it, and the way back to each state. */
export function Versions({
  memory,
  bringBack,
}: {
  readonly memory: Memory;
  /** Null: not now. */
  readonly bringBack: ((version: Memory) => void) | null;
}) {
  const { id } = memory;
  const query = useInfiniteQuery({
    queryKey: ["memory", id, "versions"],
    initialPageParam: 0,
    queryFn: ({ pageParam }) =>
      answerOf(
        api.memories[":id"].versions.$get({
          param: { id },
          query: { limit: PAGE, ...(pageParam === 0 ? {} : { before: pageParam }) },
        }),
      ),
    getNextPageParam: ({ versions }) =>
      versions.length < PAGE ? null : (versions.at(-1)?.version ?? null),
  });
  if (query.data === undefined) {
    return (
      <Card title="History">
        {query.error === null ? (
          <Loading />
        ) : (
          <Problem problem={toProblem(query.error)} retry={() => void query.refetch()} />
        )}
      </Card>
    );
  }
  const versions = query.data.pages.flatMap((page) => page.versions);
  return (
    <Card title="History">
      <ol className="versions">
        {versions.map((version, index) => (
          <li key={version.version}>
            <VersionHead version={version} isPresent={version.version === memory.version} />
            <VersionChange version={version} before={versions[index + 1]} />
            {version.version === memory.version || bringBack === null ? null : (
              <button
                type="button"
                className="quiet"
                aria-label={`Bring back version ${version.version}`}
                onClick={() => bringBack(version)}
              >
                Bring back
              </button>
            )}
          </li>
        ))}
      </ol>
      {query.hasNextPage ? (
        <button
          type="button"
          disabled={query.isFetching}
          onClick={() => void query.fetchNextPage()}
        >
          Earlier versions
        </button>
      ) : null}
    </Card>
  );
}

function VersionHead({
  version,
  isPresent,
}: {
  readonly version: Version;
  readonly isPresent: boolean;
}) {
  const by = version.changed_by ?? version.client;
  return (
    <p className="version-head">
      <strong>{changeOf(version)}</strong>
      {by === "" ? null : (
        <>
          {" "}
          by <bdi>{by}</bdi>
        </>
      )}
      , <Moment time={version.updated_at} />
      <small>
        Version {version.version}
        {isPresent ? ", as it is now" : ""}
      </small>
    </p>
  );
}

function changeOf({ change = "", status }: Version): string {
  // A save leaves nothing in the trash but what made room for it.
  if (change === "save" && status === "trashed") return "Moved to the trash to make room";
  return CHANGES[change] ?? "Changed";
}

/** Against the state before it; the first one whole. */
function VersionChange({
  version,
  before,
}: {
  readonly version: Version;
  readonly before: Version | undefined;
}) {
  if (before === undefined) return <Difference before={version.content} after={version.content} />;
  const fields = changedFields(draftOf(before), draftOf(version));
  return (
    <>
      {before.content === version.content ? null : (
        <Difference before={before.content} after={version.content} />
      )}
      {fields.length === 0 ? null : (
        <dl className="version-fields">
          {fields.map(([name, was, is]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                {was === "" ? null : (
                  <del>
                    <bdi>{was}</bdi>
                  </del>
                )}{" "}
                {is === "" ? null : (
                  <ins>
                    <bdi>{is}</bdi>
                  </ins>
                )}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

function changedFields(was: Draft, is: Draft): (readonly [string, string, string])[] {
  const importance = (draft: Draft) =>
    IMPORTANCE_NAMES[Number(draft.importance) - 1] ?? draft.importance;
  const fields: readonly (readonly [string, string, string])[] = [
    ["Tags", was.tags, is.tags],
    ["Project", was.project, is.project],
    ["Category", CATEGORY_NAMES[was.category], CATEGORY_NAMES[is.category]],
    ["Importance", importance(was), importance(is)],
    ["Holds until", was.expires, is.expires],
  ];
  return fields.filter(([, before, after]) => before !== after);
}
