import { useState } from "react";
import type { FoundMemory } from "../../memories/memory.ts";
import { MOST_AT_ONCE } from "../../memories/changes.ts";

export interface Selection {
  readonly chosen: ReadonlyMap<string, FoundMemory>;
  /** @param isRange all from the one that was chosen last */
  readonly toggle: (memory: FoundMemory, isRange: boolean) => void;
  readonly chooseAll: () => void;
  readonly clear: () => void;
}

/** Which memories are ticked, as many as one operation takes. They stay so while rows come and go. */
export function useSelection(rows: readonly FoundMemory[]): Selection {
  const [chosen, setChosen] = useState<ReadonlyMap<string, FoundMemory>>(new Map());
  const [anchor, setAnchor] = useState<string | null>(null);
  const choose = (more: readonly FoundMemory[]) =>
    setChosen((before) => {
      const all = new Map([...before, ...more.map((row) => [row.id, row] as const)]);
      return new Map([...all].slice(0, MOST_AT_ONCE));
    });
  return {
    chosen,
    toggle(memory, isRange) {
      const from = rows.findIndex(({ id }) => id === anchor);
      const to = rows.findIndex(({ id }) => id === memory.id);
      setAnchor(memory.id);
      if (isRange && from !== -1 && to !== -1) {
        choose(rows.slice(Math.min(from, to), Math.max(from, to) + 1));
      } else if (chosen.has(memory.id)) {
        setChosen(new Map([...chosen].filter(([id]) => id !== memory.id)));
      } else {
        choose([memory]);
      }
    },
    chooseAll: () => choose(rows),
    clear: () => setChosen(new Map()),
  };
}
