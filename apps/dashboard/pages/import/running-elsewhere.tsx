import { useRunningImports } from "./live-imports.ts";
import { countedOf, countsText } from "./progress-words.ts";

/** Tells of an import in another window, by a program or on another device. @param own those that this page was at work on */
export function RunningElsewhere({ own }: { readonly own: ReadonlySet<string> }) {
  const running = [...useRunningImports()].find(([id]) => !own.has(id))?.[1];
  return (
    <div role="status">
      {running === undefined ? null : (
        <p className="note">
          An import is running elsewhere: {countsText(countedOf(running.counts))}. If its window was
          closed, choose the same files here, and it goes on.
        </p>
      )}
    </div>
  );
}
