/**
 * One number for all that an import would compare or store of a conversation. The reader makes it of what the file says and the server of
 * what it was sent; where they agree, the conversation need not be sent.
 */
import { bytesToHex } from "@noble/hashes/utils.js";
import { utf8 } from "../vault/bytes.ts";
import type { IdentifiedConversation, IdentifiedMessage } from "./identify.ts";
import { ResumableSha256, type Sha256State } from "./resumable-sha256.ts";

/** To be raised with every change to what is hashed, and to what the server makes of it: then each conversation is sent once more. */
const DIGEST_VERSION = 2;

/**
 * Longer lines are hashed by the platform first: what goes on from part to part is hashed in JavaScript, at some 50 MB a second, and a free
 * plan's invocation has 10 ms. Arbitrary: most messages are shorter, and a hash of its own costs what a kilobyte does.
 */
const MAX_LINE_CHARS = 1_024;

/** Of a whole one. */
export async function conversationDigest(conversation: IdentifiedConversation): Promise<string> {
  return sha256(headLine(conversation) + (await messageLines(conversation)));
}

/** Of one that comes in parts, by the end of this part. @param before by the end of the part before; null: this is the first */
export async function partDigest(
  part: IdentifiedConversation,
  before: Sha256State | null,
): Promise<ResumableSha256> {
  const digest =
    before === null
      ? new ResumableSha256().update(utf8(headLine(part)))
      : ResumableSha256.from(before);
  return digest.update(utf8(await messageLines(part)));
}

// Each line is one JSON array, so that no two conversations make the same text; in an array undefined is null.
function headLine(conversation: IdentifiedConversation): string {
  const { source, provenance, ownId, title, createdAt, updatedAt, project } = conversation;
  const { platform, id, isDerived } = provenance;
  const origin = [platform, id, isDerived, ownId];
  return line([DIGEST_VERSION, source, origin, title, createdAt, updatedAt, project]);
}

async function messageLines({ messages }: IdentifiedConversation): Promise<string> {
  const lines = await Promise.all(
    messages.map(async (message) => {
      const whole = messageLine(message);
      // A line begins with a bracket, which no hash does.
      return whole.length <= MAX_LINE_CHARS ? whole : sha256(whole);
    }),
  );
  return lines.join("");
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

async function sha256(text: string): Promise<string> {
  return bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))));
}
