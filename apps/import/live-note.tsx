import type { ImportProgress } from "../../src/transfer/send.ts";
import type { LiveImport } from "../../src/transfer/import-answer.ts";
import { useLatestImports } from "./live-state.ts";
import { countsText, moment } from "./progress-words.ts";

/** A reader that said nothing for so long has gone; the longest pause between two batches is a minute. Arbitrary. */
const SILENCE_MS = 120_000;

/** Tells of an import in another window or on another device. */
export function LiveNote() {
  const imports = useLatestImports();
  const waiting = imports.find(({ state }) => state === "waiting_quota");
  const running = imports.find(
    ({ state, updatedAt }) => state === "running" && Date.now() - updatedAt < SILENCE_MS,
  );
  return (
    <div role="status">
      {running === undefined ? null : (
        <p class="note">
          An import is running in another window: {countsText(progressOf(running))}.
        </p>
      )}
      {running !== undefined || waiting === undefined ? null : (
        <p class="note">
          An import waits for the next day&#39;s quota
          {waiting.resumeAt === null ? "" : `, which is there ${moment(waiting.resumeAt)}`}:{" "}
          {countsText(progressOf(waiting))}. It goes on with the same files.
        </p>
      )}
    </div>
  );
}

function progressOf({ counts }: LiveImport): Pick<ImportProgress, "done" | "totals"> {
  const done = (kind: keyof LiveImport["counts"]) => {
    const { new: fresh, updated, unchanged, skipped } = counts[kind];
    return fresh + updated + unchanged + skipped;
  };
  const { conversation, message, memory } = counts;
  return {
    done: {
      conversation: done("conversation"),
      message: done("message"),
      memory: done("memory"),
    },
    totals: { conversation: conversation.found, message: message.found, memory: memory.found },
  };
}
