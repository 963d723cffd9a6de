import type { Source } from "../storage/closed-lists.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import type { TimelineSlot } from "../storage/timeline.ts";

export interface TimelineDay {
  /** `2026-11-23`, in the person's time zone. */
  readonly day: string;
  readonly memories: Partial<Record<Source, number>>;
  readonly messages: Partial<Record<Source, number>>;
}

export interface Timeline {
  /** The oldest first; those without anything are left out. */
  readonly days: readonly TimelineDay[];
  /** False: there were so many that the oldest were left out. */
  readonly isComplete: boolean;
}

const DAY_MS = 86_400_000;
/** Arbitrary: of memories and of conversations each, as rows of the database are counted by the day. */
const MAX_ROWS = 10_000;

/** Memories in use by the day on which they came, and messages by the day on which their conversation began. */
export async function timeline(
  at: OpenAccount,
  { days, now }: { readonly days: number; readonly now: number },
): Promise<Timeline> {
  const dayOf = dayIn(at.timeZone);
  const first = daysBefore(dayOf(now), days - 1);
  // A day more: some are longer than 24 hours.
  const { memories, messages } = await at.timeline.read(now - (days + 1) * DAY_MS, MAX_ROWS);
  const found = new Map<string, TimelineDay>();
  const add = (kind: "memories" | "messages", slots: readonly TimelineSlot[]): void => {
    for (const { beginsAt, source, items } of slots) {
      const day = dayOf(beginsAt);
      if (day < first || items === 0) continue;
      const known = found.get(day) ?? { day, memories: {}, messages: {} };
      known[kind][source] = (known[kind][source] ?? 0) + items;
      found.set(day, known);
    }
  };
  add("memories", memories);
  add("messages", messages);
  return {
    days: [...found.values()].sort((one, other) => (one.day < other.day ? -1 : 1)),
    isComplete: rowsOf(memories) < MAX_ROWS && rowsOf(messages) < MAX_ROWS,
  };
}

function rowsOf(slots: readonly TimelineSlot[]): number {
  return slots.reduce((sum, { rows }) => sum + rows, 0);
}

/** By the calendar: where clocks change, so many times 24 hours may be another day. */
function daysBefore(day: string, days: number): string {
  return new Date(Date.parse(day) - days * DAY_MS).toISOString().slice(0, 10);
}

function dayIn(timeZone: string): (time: number) => string {
  // The Swedish way of writing a date is ISO 8601's.
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" });
  return (time) => format.format(time);
}
