import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { SOURCES } from "../../../../src/storage/closed-lists.ts";
import { answerOf, api } from "../../api.ts";
import { inFigures } from "../../words/amounts.ts";
import { platformName } from "../../words/platform.ts";
import { useSettled } from "../../words/use-settled.ts";
import { showFiltered, type Filters } from "./filters.ts";

/** After the last key, so that not every letter is a search. Arbitrary. */
const TYPING_MS = 300;

export function FilterBar({ filters }: { readonly filters: Filters }) {
  const stats = useQuery({ queryKey: ["stats"], queryFn: () => answerOf(api.stats.$get()) });
  const counts = stats.data?.conversations.by_platform ?? {};
  const platforms = SOURCES.filter((name) => name in counts || name === filters.platform);
  const show = (changes: Partial<Filters>) => showFiltered({ ...filters, ...changes });
  return (
    <div className="filters" role="search">
      <SearchField filters={filters} />
      <label>
        Platform
        <select
          value={filters.platform ?? ""}
          onChange={({ target }) =>
            show({ platform: SOURCES.find((name) => name === target.value) ?? null })
          }
        >
          <option value="">All</option>
          {platforms.map((name) => (
            <option key={name} value={name}>
              {platformName(name)} ({inFigures(counts[name] ?? 0)})
            </option>
          ))}
        </select>
      </label>
      <label>
        From
        <input
          type="date"
          value={filters.from}
          max={filters.to}
          onChange={({ target }) => show({ from: target.value })}
        />
      </label>
      <label>
        To
        <input
          type="date"
          value={filters.to}
          min={filters.from}
          onChange={({ target }) => show({ to: target.value })}
        />
      </label>
      <label>
        Order
        <select
          value={filters.order}
          disabled={filters.query !== ""}
          onChange={({ target }) =>
            show({ order: target.value === "oldest" ? "oldest" : "newest" })
          }
        >
          <option value="newest">Newest first</option>
          <option value="oldest">Oldest first</option>
        </select>
      </label>
    </div>
  );
}

/** What is typed is searched for when nothing more is typed. */
function SearchField({ filters }: { readonly filters: Filters }) {
  const [typed, setTyped] = useState(filters.query);
  const settled = useSettled(typed.trim(), TYPING_MS);
  useEffect(() => {
    if (settled === typed.trim() && settled !== filters.query) {
      showFiltered({ ...filters, query: settled });
    }
  }, [settled, typed, filters]);
  return (
    <label>
      Search what was said
      <input
        data-search
        type="search"
        value={typed}
        maxLength={1_000}
        placeholder="Words, or “an exact phrase”"
        onChange={({ target }) => setTyped(target.value)}
      />
    </label>
  );
}
