/**
 * What a reader of a foreign format yields. Readers are pure: bytes in, records out, the same in the Worker, a browser and Node.
 * Every item of the file appears exactly once, either inside a conversation, as a memory, or counted in a `skipped` record.
 * `identify.ts` then gives each item what it is known by, and `batches.ts` cuts the stream into what one request carries.
 */
import type { Category, Role, Source } from "../storage/closed-lists.ts";

export const ITEM_KINDS = ["conversation", "message", "memory"] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

/** Why an item was left out. The names are part of the report's contract. */
export const SKIP_REASONS = [
  "hidden",
  "system",
  "tool",
  "reasoning",
  "other_branch",
  "empty",
  "media_only",
  "unreadable",
  "unsupported",
  "duplicate_in_file",
  "other_account",
  "not_selected",
  "trashed",
  "too_large",
  "quota",
  "limit_reached",
  "blocked_tag",
  "secret",
  "truncated_file",
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

export interface ImportedAttachment {
  readonly name: string;
  /** Text that the platform extracted, or the document itself. Absent for media. */
  readonly text?: string;
}

export interface ImportedMessage {
  /** The platform's id, unique within its conversation; null where the platform gives none. */
  readonly originId: string | null;
  /** A Cofio export says so of an id that an earlier import had to make. */
  readonly originIsDerived?: true;
  /** Cofio's own id, in its exports. */
  readonly ownId?: string;
  readonly role: Role;
  /** Well-formed, without NUL. */
  readonly text: string;
  /** Milliseconds UTC; null when the file does not say or says nonsense. */
  readonly createdAt: number | null;
  /** Of who speaks, where the platform says more than the role. */
  readonly name?: string;
  readonly model?: string;
  readonly attachments: readonly ImportedAttachment[];
}

export interface ImportedConversation {
  readonly source: Source;
  /** Whose id `originId` is, where that is not `source`: a Cofio export keeps the source of each row and gives it Cofio's id. */
  readonly originPlatform?: Source;
  /** The platform's id; null where the platform gives none. */
  readonly originId: string | null;
  readonly originIsDerived?: true;
  readonly ownId?: string;
  /** "" when the platform has none; null when the sender does not say, so that a title that is known stays. */
  readonly title: string | null;
  readonly createdAt: number | null;
  readonly updatedAt: number | null;
  readonly project?: string;
  /** The selected branch, in order, after filtering. */
  readonly messages: readonly ImportedMessage[];
}

export interface ImportedMemory {
  readonly source: Source;
  /** As in a conversation. */
  readonly originPlatform?: Source;
  /** Null: the memory is known by its text alone. */
  readonly originId: string | null;
  readonly originIsDerived?: true;
  readonly ownId?: string;
  readonly content: string;
  readonly tags: readonly string[];
  readonly project?: string;
  readonly category?: Category;
  readonly importance?: number;
  readonly createdAt?: number;
  readonly updatedAt?: number;
  // What hardly any other export knows. Without it an unapproved memory would come back approved, and an expired one for good.
  readonly origin?: "user" | "assistant";
  readonly status?: "active" | "pending";
  readonly expiresAt?: number;
  /** An id of the same export. */
  readonly supersededBy?: string;
  /** Of a memory that waits: what it supersedes once it is approved. */
  readonly supersedes?: string;
  readonly userAsked?: boolean;
  readonly askedAs?: readonly string[];
  /** Of a memory file in a Cofio export; its content is kept to the letter. */
  readonly path?: string;
}

export type ImportRecord =
  | { readonly type: "conversation"; readonly conversation: ImportedConversation }
  | { readonly type: "memory"; readonly memory: ImportedMemory }
  | {
      readonly type: "skipped";
      readonly kind: ItemKind;
      readonly reason: SkipReason;
      readonly count: number;
      /** At most 120 characters that let the person recognise the item. */
      readonly example?: string;
    };
