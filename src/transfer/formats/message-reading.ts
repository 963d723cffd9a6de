import type { ImportedAttachment, SkipReason } from "../records.ts";
import type { MessageReading } from "./conversation.ts";
import { idOf } from "./json.ts";
import { textOf } from "./text.ts";

/** What a reader found in one message. */
export interface MessageParts {
  /** The platform's, unique in the conversation. */
  readonly id: string | null;
  /** As the platform writes it, in any case. */
  readonly role: unknown;
  readonly text: string;
  readonly createdAt: number | null;
  readonly model: unknown;
  readonly attachments: readonly ImportedAttachment[];
  /** What the message held in place of text; null when nothing. */
  readonly instead: SkipReason | null;
}

/** The message, or why it is none: only what the person and the assistant said, or handed over as text, is kept. */
export function messageReading(parts: MessageParts): MessageReading {
  const { text, createdAt, attachments, instead } = parts;
  const role = textOf(parts.role).toLowerCase();
  if (role !== "user" && role !== "assistant") {
    return { outcome: "skipped", reason: roleReason(role) };
  }
  if (text.trim() === "" && !attachments.some((attachment) => attachment.text !== undefined)) {
    return {
      outcome: "skipped",
      reason: attachments.length > 0 ? "media_only" : (instead ?? "empty"),
    };
  }
  const model = textOf(parts.model);
  return {
    outcome: "message",
    message: {
      originId: idOf(textOf(parts.id)),
      role,
      text,
      createdAt,
      ...(role === "assistant" && model !== "" ? { model } : {}),
      attachments,
    },
  };
}

function roleReason(role: string): SkipReason {
  if (role === "system" || role === "tool") return role;
  return role === "" ? "unreadable" : "unsupported";
}
