/** What a sync says to a side and hears from it. Lines are those of an archive (`archive-lines.ts`), which are read one by one. */
import * as z from "zod";
import type { BatchLimits } from "./batches.ts";
import {
  parseLine,
  type ArchiveLine,
  type ConversationLine,
  type LineOf,
  type LineType,
  type MemoryLine,
  type MessageLine,
} from "./archive-lines.ts";

export type SyncKind = "memory" | "conversation";

/** An item as a side lists it: enough to see that nothing is to be done. */
export interface SyncItem {
  readonly id: string;
  readonly version: number;
  readonly status: "active" | "pending" | "trashed";
  /** Of what a person sees of it (`sync-states.ts`); of a conversation without its messages. */
  readonly digest: string;
  readonly updated_at: string;
  /** How many of its earlier states had their text taken out for good. */
  readonly redacted?: number;
  readonly origin?: string;
  /** Of a memory in use: what it says, or where it stands. */
  readonly statement?: string;
  /** How many a conversation has. */
  readonly messages?: number;
}

export interface SyncPage {
  readonly items: readonly SyncItem[];
  /** Null: there are no more. */
  readonly next: string | null;
}

export interface LinesPage {
  readonly lines: readonly ArchiveLine[];
  readonly next: string | null;
}

export interface SyncStart {
  readonly operation_id: string;
  /** Tells accounts apart, so that what is known of one is never taken for another's. */
  readonly account: string;
  readonly limits: BatchLimits;
}

/** A memory as it is to be. */
export interface MemoryUnit {
  readonly id: string;
  /** The version that it was seen at; null: it was not there. */
  readonly expected: number | null;
  /** States beyond that one, by version; the last becomes the one of now. */
  readonly states: readonly MemoryLine[];
  /** Earlier states whose text was taken out on the other side. */
  readonly redacted: readonly MemoryLine[];
}

/** A conversation as it is to be, or a part of a long one. */
export interface ConversationUnit {
  readonly id: string;
  /** In later parts the version that the first one gave it. */
  readonly expected: number | null;
  readonly version: number;
  /** As of a memory; none where only messages differ. */
  readonly states: readonly ConversationLine[];
  readonly messages: readonly MessageLine[];
  /** Ids of messages that are no longer in it. */
  readonly removed: readonly string[];
  /** Ids of all messages, in order; null: those before stay where they are. */
  readonly order: readonly string[] | null;
}

/**
 * `changed`: somebody changed it meanwhile, and the next sync will see it. `place_taken`: another file stands at its path.
 * `unreadable`: by this version of the server.
 */
export type UnitOutcome = "written" | "changed" | "limit_reached" | "place_taken" | "unreadable";

export interface UnitResult {
  readonly kind: SyncKind;
  readonly id: string;
  readonly outcome: UnitOutcome;
}

export interface SyncWritten {
  readonly results: readonly UnitResult[];
  /** The day's quota is spent, and nothing was written: when there is more. */
  readonly resume_at?: string;
}

/** Made by the first request that needs them: an isolate's start does not pay for them. */
export function syncSchemas() {
  const id = z.string().regex(/^[a-z2-7]{12}$/);
  const version = z.int().min(1);
  const lines = z.array(z.unknown()).describe("As in an archive");
  const unit = { id, expected: version.nullable() };
  return {
    page: z.object({ after: id.optional().describe("The last one of the page before") }),
    lines: z
      .object({
        memories: z.array(id).max(1_000).default([]),
        conversations: z.array(id).max(1_000).default([]),
        from: z.string().max(200).optional().describe("`next` of the answer before"),
      })
      .describe("Of memories or of conversations"),
    write: z.object({
      operation_id: z.string().regex(/^[a-z2-7]{16}$/),
      memories: z
        .array(z.object({ ...unit, states: lines, redacted: lines.default([]) }))
        .default([]),
      conversations: z
        .array(
          z.object({
            ...unit,
            version,
            states: lines,
            messages: lines.default([]),
            removed: z.array(id).default([]),
            order: z.array(id).nullable().default(null),
          }),
        )
        .default([]),
    }),
  };
}

export type SyncWrite = z.output<ReturnType<typeof syncSchemas>["write"]>;

/** Null: one of them cannot be read. */
export function parseLines<Type extends LineType>(
  values: readonly unknown[],
  types: readonly Type[],
): LineOf<Type>[] | null {
  const lines = values.map((value) => parseLine(value));
  const isAll = lines.every((line) => types.some((type) => type === line?.type));
  // True because each line is of one of the types.
  return isAll ? (lines as LineOf<Type>[]) : null;
}
