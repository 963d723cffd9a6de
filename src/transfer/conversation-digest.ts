/**
 * One number for all that an import would compare or store of a conversation. The reader makes it of what the file says and the server of
 * what it was sent; where they agree, the conversation need not be sent.
 */
import { bytesToHex } from "@noble/hashes/utils.js";
import { utf8 } from "../vault/bytes.ts";
import type { IdentifiedConversation, IdentifiedMessage } from "./identify.ts";
import { ResumableSha256, type Sha256State } from "./resumable-sha256.ts";

/** To be raised with every change to what is hashed, and to what the server makes of it: then each conversation is sent once more. */
const DIGEST_VERSION = 1;

/** Of a whole one. */
export async function conversationDigest(conversation: IdentifiedConversation): Promise<string> {
  const text = headLine(conversation) + messageLines(conversation);
  return bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))));
}

/** Of one that comes in parts, by the end of this part. @param before by the end of the part before; null: this is the first */
export function partDigest(
  part: IdentifiedConversation,
  before: Sha256State | null,
): ResumableSha256 {
  const digest =
    before === null
      ? new ResumableSha256().update(utf8(headLine(part)))
      : ResumableSha256.from(before);
  return digest.update(utf8(messageLines(part)));
}

// Each line is one JSON array, so that no two conversations make the same text; in an array undefined is null.
function headLine(conversation: IdentifiedConversation): string {
  const { source, provenance, ownId, title, createdAt, updatedAt, project } = conversation;
  const { platform, id, isDerived } = provenance;
  const origin = [platform, id, isDerived, ownId];
  return line([DIGEST_VERSION, source, origin, title, createdAt, updatedAt, project]);
}

function messageLines({ messages }: IdentifiedConversation): string {
  return messages.map(messageLine).join("");
}

function messageLine(message: IdentifiedMessage): string {
  const { provenance, ownId, role, text, createdAt, name, model } = message;
  const { id, isDerived } = provenance;
  const attachments = message.attachments.map((file) => [file.name, file.text]);
  return line([id, isDerived, ownId, role, createdAt, name, model, attachments, text]);
}

function line(values: readonly unknown[]): string {
  return `${JSON.stringify(values)}\n`;
}
