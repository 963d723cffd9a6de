import { useId } from "react";
import { CATEGORIES } from "../../../src/storage/closed-lists.ts";
import type { Draft } from "./draft.ts";
import { useLabels } from "./labels.ts";
import { CATEGORY_NAMES, IMPORTANCE_NAMES } from "./memory.ts";

/** Of a memory that is written or changed. */
export function MemoryFields({
  draft,
  change,
}: {
  readonly draft: Draft;
  readonly change: (draft: Draft) => void;
}) {
  const labels = useLabels().data;
  const projects = useId();
  const set = (changed: Partial<Draft>) => change({ ...draft, ...changed });
  return (
    <div className="memory-fields">
      <label className="memory-field-wide">
        What is to be remembered
        <textarea
          value={draft.content}
          rows={6}
          dir="auto"
          required
          onChange={(event) => set({ content: event.target.value })}
        />
      </label>
      <label>
        Tags
        <input
          value={draft.tags}
          placeholder="work, travel"
          dir="auto"
          onChange={(event) => set({ tags: event.target.value })}
        />
      </label>
      <label>
        Project
        <input
          value={draft.project}
          list={projects}
          dir="auto"
          maxLength={100}
          onChange={(event) => set({ project: event.target.value })}
        />
        <datalist id={projects}>
          {labels?.projects.map(({ name }) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </label>
      <label>
        Category
        <select
          value={draft.category}
          onChange={({ target }) =>
            set({ category: CATEGORIES.find((one) => one === target.value) ?? "other" })
          }
        >
          {CATEGORIES.map((category) => (
            <option key={category} value={category}>
              {CATEGORY_NAMES[category]}
            </option>
          ))}
        </select>
      </label>
      <label>
        Importance
        <select
          value={draft.importance}
          onChange={(event) => set({ importance: event.target.value })}
        >
          {IMPORTANCE_NAMES.map((name, index) => (
            <option key={name} value={String(index + 1)}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Holds until
        <input
          type="date"
          value={draft.expires}
          onChange={(event) => set({ expires: event.target.value })}
        />
      </label>
    </div>
  );
}
