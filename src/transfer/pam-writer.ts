import type { Memory } from "../memory/memory.ts";
import type { Category } from "../storage/closed-lists.ts";
import { utf8 } from "../vault/bytes.ts";
import { PAM_STORE_SCHEMA, PAM_TYPE_OF } from "./formats/pam.ts";
import { iso, listLine, type Writer } from "./writer.ts";

/**
 * A store of Portable AI Memory 1.0: https://portable-ai-memory.org. It has a file per conversation, so one file holds memories only:
 * the approved ones, superseded ones marked as such. What it has no field for stands under `metadata`, which is open.
 */
export const pamWriter: Writer = {
  start: ({ startedAt }, userId) =>
    [
      `{"schema":"${PAM_STORE_SCHEMA}","schema_version":"1.0","exported_by":"cofio/0.1.0","export_date":"${iso(startedAt)}",`,
      `"owner":{"id":"${userId}"},"export_type":"full","memories":[`,
    ].join("\n"),
  memory: async (memory, index) => listLine(JSON.stringify(await storeLine(memory)), index),
  memoriesEnd: () => "\n]",
  conversation: () => "",
  message: () => "",
  conversationEnd: () => "",
  conversationsEnd: () => "",
  end: () => "}\n",
};

async function storeLine(memory: Memory) {
  const { category, tags, project, path, importance, source } = memory;
  return {
    id: memory.id,
    ...typeOf(category),
    status: memory.supersededBy === null ? "active" : "superseded",
    content: memory.content,
    content_hash: await contentHash(memory.content),
    tags: [...new Set(tags.map(plainTag))].filter((tag) => tag !== ""),
    temporal: {
      created_at: iso(memory.createdAt),
      updated_at: iso(memory.updatedAt),
      ...(memory.expiresAt === null ? {} : { valid_until: iso(memory.expiresAt) }),
      ...(memory.supersededBy === null ? {} : { superseded_by: memory.supersededBy }),
    },
    provenance: { platform: memory.provenance?.platform ?? source },
    metadata: { cofio: { category, tags, project, path, importance } },
  };
}

function typeOf(category: Category) {
  const type = PAM_TYPE_OF[category];
  return type === "custom" ? { type, custom_type: category } : { type };
}

/** PAM's tags are lower-case words of ASCII; the tags as they are stand in `metadata`. */
function plainTag(tag: string): string {
  return tag
    .toLowerCase()
    .normalize("NFKD")
    .replaceAll(/\s+/gu, "-")
    .replaceAll(/[^a-z0-9_-]/gu, "")
    .replace(/^[_-]+/u, "");
}

/** As PAM 1.0 normalises: trimmed, lower case, NFC, runs of blanks made one. */
async function contentHash(content: string): Promise<string> {
  const normal = content.trim().toLowerCase().normalize("NFC").replaceAll(/ +/gu, " ");
  const digest = await crypto.subtle.digest("SHA-256", utf8(normal));
  return `sha256:${new Uint8Array(digest).toHex()}`;
}
