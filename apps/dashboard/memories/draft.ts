/** A memory as a form holds it: all of it text. */
import { CATEGORIES, type Category } from "../../../src/storage/closed-lists.ts";
import { person } from "../person.ts";
import type { MemoryChanges } from "./changes.ts";
import type { Memory } from "./memory.ts";

export interface Draft {
  readonly content: string;
  /** With commas between them. */
  readonly tags: string;
  readonly project: string;
  readonly category: Category;
  /** 1 to 5. */
  readonly importance: string;
  /** The last day on which it holds, `2026-12-01`; empty: for good. */
  readonly expires: string;
}

export const NEW_DRAFT: Draft = {
  content: "",
  tags: "",
  project: "",
  category: CATEGORIES[CATEGORIES.length - 1] ?? "other",
  importance: "3",
  expires: "",
};

export function draftOf(
  memory: Pick<Memory, "content" | "tags" | "project" | "category" | "importance" | "expires_at">,
): Draft {
  const { content, tags = [], project = "", category, importance, expires_at: end } = memory;
  return {
    content,
    tags: tags.join(", "),
    project,
    category,
    importance: String(importance),
    expires: end === undefined ? "" : dayBefore(end),
  };
}

/** What was changed and nothing else, so that what another client changes meanwhile stays. */
export function changesOf(before: Draft, after: Draft): MemoryChanges {
  return {
    ...(after.content === before.content ? {} : { content: after.content }),
    ...(after.tags === before.tags ? {} : { tags: tagsOf(after.tags) }),
    ...(after.project === before.project ? {} : { project: after.project }),
    ...(after.category === before.category ? {} : { category: after.category }),
    ...(after.importance === before.importance ? {} : { importance: Number(after.importance) }),
    ...(after.expires === before.expires ? {} : { expires_at: after.expires || "never" }),
  };
}

export function tagsOf(text: string): string[] {
  return text
    .split(/[,\n]/u)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}

const days = new Intl.DateTimeFormat("en-CA", {
  timeZone: person.timeZone,
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
});

/** The server knows the end of the last day, which is the beginning of the next. */
function dayBefore(end: string): string {
  return days.format(Date.parse(end) - 1);
}
