import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { CATEGORIES, SOURCES } from "../../../../src/storage/closed-lists.ts";
import { answerOf, api } from "../../api.ts";
import { useLabels } from "../../memories/labels.ts";
import { CATEGORY_NAMES, SOURCE_NAMES, type Status } from "../../memories/memory.ts";
import { Icon } from "../../shell/icon.tsx";
import { Link } from "../../shell/router.tsx";
import { inFigures } from "../../words/amounts.ts";
import { addressOf, STATUSES, withPart, type Filter } from "./filter.ts";

const STATUS_NAMES: Readonly<Record<Status, string>> = {
  active: "In use",
  pending: "Waiting",
  trashed: "Trash",
};

const PART_NAMES = {
  tag: "Tag",
  project: "Project",
  category: "Category",
  source: "Source",
  client: "Written by",
  after: "From",
  before: "To",
} as const satisfies Record<Exclude<keyof Filter, "status">, string>;
type Part = keyof typeof PART_NAMES;
const PARTS = Object.keys(PART_NAMES) as Part[]; // of the object above

/** Which memories are listed, and how many there are of each kind. */
export function StatusTabs({ filter }: { readonly filter: Filter }) {
  const { data } = useQuery({ queryKey: ["stats"], queryFn: () => answerOf(api.stats.$get()) });
  return (
    <nav className="tabs" aria-label="Which memories">
      {STATUSES.map((status) => (
        <Link
          key={status}
          to={addressOf({ status })}
          aria-current={status === filter.status ? "page" : undefined}
        >
          {STATUS_NAMES[status]}
          {data === undefined ? null : (
            <span className="tab-count">{inFigures(data.memories[status])}</span>
          )}
        </Link>
      ))}
    </nav>
  );
}

export function SearchField({
  words,
  search,
}: {
  readonly words: string;
  readonly search: (words: string) => void;
}) {
  return (
    <div className="search-field" role="search">
      <Icon name="search" />
      <input
        type="search"
        data-search=""
        aria-label="Search memories"
        placeholder="Search memories"
        value={words}
        autoComplete="off"
        spellCheck={false}
        maxLength={1000}
        dir="auto"
        onChange={(event) => search(event.target.value)}
      />
    </div>
  );
}

export function FilterFields({
  filter,
  change,
}: {
  readonly filter: Filter;
  readonly change: (filter: Filter) => void;
}) {
  const labels = useLabels().data;
  const stats = useQuery({ queryKey: ["stats"], queryFn: () => answerOf(api.stats.$get()) }).data;
  const used = PARTS.filter((part) => filter[part] !== undefined);
  const options = {
    tag: labels?.tags.map(({ name }) => name) ?? [],
    project: labels?.projects.map(({ name }) => name) ?? [],
    client: Object.keys(stats?.memories.by_client ?? {}).filter((name) => name !== ""),
  };
  const set = (part: Part) => (value: string) => change(withPart(filter, part, value));
  return (
    <>
      <details className="filter-box">
        <summary>{used.length === 0 ? "Filter" : `Filter (${used.length})`}</summary>
        <div className="filter-fields">
          {(["tag", "project", "client"] as const).map((part) => (
            <Choice key={part} name={PART_NAMES[part]} value={filter[part]} choose={set(part)}>
              {withChosen(options[part], filter[part]).map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </Choice>
          ))}
          <Choice name={PART_NAMES.category} value={filter.category} choose={set("category")}>
            {CATEGORIES.map((category) => (
              <option key={category} value={category}>
                {CATEGORY_NAMES[category]}
              </option>
            ))}
          </Choice>
          <Choice name={PART_NAMES.source} value={filter.source} choose={set("source")}>
            {SOURCES.map((source) => (
              <option key={source} value={source}>
                {SOURCE_NAMES[source]}
              </option>
            ))}
          </Choice>
          {(["after", "before"] as const).map((part) => (
            <label key={part}>
              {PART_NAMES[part]}
              <input
                type="date"
                value={filter[part] ?? ""}
                onChange={(event) => set(part)(event.target.value)}
              />
            </label>
          ))}
        </div>
      </details>
      {used.length === 0 ? null : (
        <ul className="filter-chips" aria-label="Filters in use">
          {used.map((part) => (
            <li key={part}>
              <button
                type="button"
                className="chip"
                aria-label={`Without the filter ${PART_NAMES[part]}`}
                onClick={() => change(withPart(filter, part, null))}
              >
                {PART_NAMES[part]}: <bdi>{shownValue(filter, part)}</bdi>
                <Icon name="close" size={14} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Choice({
  name,
  value,
  choose,
  children,
}: {
  readonly name: string;
  readonly value: string | undefined;
  readonly choose: (value: string) => void;
  readonly children: ReactNode;
}) {
  return (
    <label>
      {name}
      <select value={value ?? ""} onChange={(event) => choose(event.target.value)}>
        <option value="">Any</option>
        {children}
      </select>
    </label>
  );
}

/** The chosen one may be too rare for the list, or gone from it. */
function withChosen(names: readonly string[], chosen: string | undefined): readonly string[] {
  return chosen === undefined || names.includes(chosen) ? names : [chosen, ...names];
}

function shownValue(filter: Filter, part: Part): string {
  if (part === "category" && filter.category !== undefined) return CATEGORY_NAMES[filter.category];
  if (part === "source" && filter.source !== undefined) return SOURCE_NAMES[filter.source];
  return filter[part] ?? "";
}
