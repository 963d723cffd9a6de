import { useQuery } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { answerOf, api } from "../../api.ts";
import { isUnderWay, nextLook } from "../../changes/under-way.ts";
import { Icon } from "../../shell/icon.tsx";
import { Card } from "../../shell/page.tsx";
import { Answer } from "../../states/answer.tsx";
import { Empty } from "../../states/states.tsx";
import { bytesText, dayText } from "../../words/amounts.ts";
import { contentsText } from "../../words/contents.ts";
import { Moment } from "../../words/moment.tsx";
import { formatName } from "./formats.ts";

type Export = InferResponseType<typeof api.exports.$get>["exports"][number];

/** What was exported lately, to be downloaded. */
export function ExportsCard() {
  const exports = useQuery({
    queryKey: ["exports"],
    queryFn: () => answerOf(api.exports.$get()),
    refetchInterval: ({ state }) =>
      nextLook(
        (state.data?.exports ?? [])
          .filter(({ job }) => isUnderWay(job.state))
          .map(({ created_at: begunAt }) => begunAt),
      ),
  });
  return (
    <Card title="Your exports">
      <Answer query={exports}>
        {({ exports: all }) =>
          all.length === 0 ? (
            <Empty title="No export yet." icon="export">
              What you export is kept here for a week, to be downloaded.
            </Empty>
          ) : (
            <ul className="rows">
              {all.map((one) => (
                <li key={one.job.id}>
                  <ExportRow made={one} />
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
    </Card>
  );
}

function ExportRow({ made }: { readonly made: Export }) {
  const { job, format, made_by: client, created_at: time, counts, download } = made;
  const hasFailed = job.state === "failed" || job.state === "cancelled";
  return (
    <>
      <Icon name={hasFailed ? "alert" : download === undefined ? "history" : "check"} />
      <div className="row-words wraps">
        <span>{formatName(format)}</span>
        <small>
          <Moment time={time} /> by <bdi>{client}</bdi>
          {counts === undefined ? null : <> · {contentsText(counts)}</>}
          {download === undefined ? null : (
            <>
              {" "}
              · {bytesText(download.bytes)} · until {dayText(download.expires_at)}
            </>
          )}
        </small>
        {isUnderWay(job.state) ? (
          <label className="progress">
            <span className="sr-only">Being written …</span>
            <progress />
          </label>
        ) : null}
        {hasFailed ? <small className="alert">This export failed. Start it again.</small> : null}
        {download === undefined ? null : (
          <details>
            <summary>Checksum</summary>
            <code>{download.sha256}</code>
          </details>
        )}
      </div>
      {download === undefined ? null : (
        <a className="button" href={new URL(download.url).pathname} download>
          Download
        </a>
      )}
    </>
  );
}
