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
  /** Its own text was. Older servers do not say. */
  readonly is_redacted?: true;
  readonly origin?: string;
  /** Of a memory in use: what it says, or where it stands. */
  readonly statement?: string;
  /** Of the root of a memory store, in use or in the trash: the store's name. */
  readonly root?: string;
  /** Of a file in use: the store that it is in, as its root has it. Older servers do not say. */
  readonly store?: string;
  /** How many a conversation has. */
  readonly messages?: number;
  /** An import is bringing it, and has more of it. */
  readonly unfinished?: true;
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
  /** Null: there is none. */
  readonly last_operation: string | null;
  /** False: the account was set back to a state of before the operation that was named, as by a backup. */
  readonly goes_on: boolean;
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
  /** It goes in parts, and another one brings the state that it is to have. */
  readonly more?: true | undefined;
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

/** They are small, and go in one part. Arbitrary: more than a chat is imported again in a lifetime. */
const MAX_CONVERSATION_STATES = 2_000;
/** Of one conversation. Arbitrary: their ids fill a fifth of what a body may have. */
const MAX_MESSAGES = 100_000;

/** Made by the first request that needs them: an isolate's start does not pay for them. */
export function syncSchemas() {
  const id = z.string().regex(/^[a-z2-7]{12}$/);
  const version = z.int().min(1);
  const lines = z.array(z.unknown()).describe("As in an archive");
  const more = z
    .literal(true)
    .optional()
    .describe("A later part brings the state that it is to have");
  const unit = { id, expected: version.nullable() };
  const operation = z.string().regex(/^[a-z2-7]{16}$/);
  return {
    begin: z.object({
      after: operation
        .optional()
        .describe("The last one that the sync before knew: does the account go on from it?"),
    }),
    page: z.object({ after: id.optional().describe("The last one of the page before") }),
    lines: z
      .object({
        memories: z.array(id).max(1_000).default([]),
        conversations: z.array(id).max(1_000).default([]),
        from: z.string().max(200).optional().describe("`next` of the answer before"),
      })
      .describe("Of memories or of conversations"),
    write: z.object({
      operation_id: operation,
      memories: z
        .array(z.object({ ...unit, states: lines, redacted: lines.default([]), more }))
        .max(1_000)
        .default([]),
      conversations: z
        .array(
          z.object({
            ...unit,
            version,
            states: lines.max(MAX_CONVERSATION_STATES),
            messages: lines.default([]),
            removed: z.array(id).max(MAX_MESSAGES).default([]),
            order: z.array(id).max(MAX_MESSAGES).nullable().default(null),
          }),
        )
        .max(1_000)
        .default([]),
    }),
  };
}

export type SyncBegin = z.output<ReturnType<typeof syncSchemas>["begin"]>;
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
