import { useMemo } from "react";
import { wordDiff } from "./word-diff.ts";

/** Two texts as one: what is gone struck out, what was added marked. */
export function Difference({ before, after }: { readonly before: string; readonly after: string }) {
  const parts = useMemo(() => wordDiff(before, after), [before, after]);
  return (
    <p className="memory-content">
      <bdi dir="auto">
        {parts.map(({ kind, text }, index) =>
          kind === "same" ? (
            <span key={index}>{text}</span>
          ) : kind === "gone" ? (
            <del key={index}>{text}</del>
          ) : (
            <ins key={index}>{text}</ins>
          ),
        )}
      </bdi>
    </p>
  );
}
