/**
 * The lines of a Cofio archive, as they are written and read back. What a line leaves out is absent or derived: tokens, fingerprints and
 * keys belong to one account and are made anew. The JSON Schema in an archive is made of the schema that a restore reads with.
 */
import * as z from "zod";
import { CATEGORIES, ROLES, SOURCES } from "../storage/closed-lists.ts";
import { MEMORY_STATUSES, operations } from "../storage/schema.ts";

/** Not at module scope: making it takes milliseconds of every isolate's start, and hardly any isolate needs it. */
function makeSchema() {
  const id = z.string().regex(/^[a-z2-7]{12}$/);
  const operationId = z.string().regex(/^[a-z2-7]{16}$/);
  const time = z.iso.datetime();
  const version = z.int().min(1);
  const replaced = { replaced_op: operationId, replaced_at: time };
  /** Ids of platforms. `derived`: made of what the item says, because the platform gave none. */
  const messageProvenance = z.strictObject({ id: z.string(), derived: z.literal(true).optional() });
  const provenance = messageProvenance.extend({ platform: z.enum(SOURCES) });
  const changes = { created_op: operationId, changed_op: operationId };
  const trash = { trashed_at: time.optional(), trashed_op: operationId.optional() };
  const by = { client: z.string(), grant_id: z.string() };
  /** Of the version that brought the text, where that is an earlier one. */
  const textVersion = version.optional();

  const memory = {
    id,
    version,
    text_version: textVersion,
    status: z.enum(MEMORY_STATUSES),
    /** Empty for an empty file, and where it was redacted. */
    content: z.string(),
    category: z.enum(CATEGORIES),
    tags: z.array(z.string()),
    project: z.string().optional(),
    importance: z.int().min(1).max(5),
    source: z.enum(SOURCES),
    origin: z.enum(["user", "assistant"]),
    user_asked: z.literal(true).optional(),
    asked_as: z.array(z.string()).optional(),
    supersedes: z.string().optional(),
    superseded_by: id.optional(),
    /** Stored beside another one that says the same. */
    is_twin: z.literal(true).optional(),
    provenance: provenance.optional(),
    /** Of a memory file, within its project. At the path / it makes the project a memory store. */
    path: z.string().startsWith("/").optional(),
    store: z
      .strictObject({
        metadata: z.record(z.string(), z.string()),
        archived_at: time.optional(),
      })
      .optional(),
    redacted: z.strictObject({ at: time, grant_id: z.string() }).optional(),
    ...by,
    created_at: time,
    updated_at: time,
    last_used_at: time,
    expires_at: time.optional(),
    ...changes,
    ...trash,
  };
  const conversation = {
    id,
    version,
    text_version: textVersion,
    status: z.enum(MEMORY_STATUSES),
    source: z.enum(SOURCES),
    title: z.string(),
    project: z.string().optional(),
    provenance: provenance.optional(),
    ...by,
    created_at: time,
    updated_at: time,
    /** The platform does not say when it was last changed. */
    is_undated: z.literal(true).optional(),
    ...changes,
    ...trash,
  };
  const message = {
    conversation: id,
    id,
    position: z.int().min(0),
    version,
    text_version: textVersion,
    role: z.enum(ROLES),
    text: z.string(),
    name: z.string().optional(),
    model: z.string().optional(),
    attachments: z
      .array(z.strictObject({ name: z.string(), text: z.string().optional() }))
      .optional(),
    provenance: messageProvenance.optional(),
    created_at: time.optional(),
    ...changes,
  };
  return z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("memory"), ...memory }),
    z.strictObject({ type: z.literal("memory_version"), ...memory, ...replaced }),
    z.strictObject({ type: z.literal("conversation"), ...conversation }),
    z.strictObject({ type: z.literal("conversation_version"), ...conversation, ...replaced }),
    z.strictObject({ type: z.literal("message"), ...message }),
    /** One that an undo took out of its conversation: nothing finds it but another undo, or the same file. */
    z.strictObject({ type: z.literal("removed_message"), ...message }),
    z.strictObject({
      type: z.literal("message_version"),
      ...message,
      ...replaced,
      /** A state in which it was out of its conversation. */
      removed: z.literal(true).optional(),
    }),
    z.strictObject({
      type: z.literal("operation"),
      id: operationId,
      kind: z.enum(operations.kind.enumValues),
      ...by,
      created_at: time,
      counts: z.record(z.string(), z.number()),
      undoes_op: operationId.optional(),
      /** The one item that it was about; of a restore its job. */
      subject: z
        .string()
        .regex(/^[a-z2-7]{12}(?:[a-z2-7]{14})?$/)
        .optional(),
    }),
    // The whole of `rules.json`: what the person set, under the names of the API.
    z.strictObject({ type: z.literal("rules"), rules: z.record(z.string(), z.unknown()) }),
  ]);
}

type Schema = ReturnType<typeof makeSchema>;
export type ArchiveLine = z.output<Schema>;
export type LineType = ArchiveLine["type"];
export type LineOf<Type extends LineType> = Extract<ArchiveLine, { readonly type: Type }>;
export type MemoryLine = LineOf<"memory" | "memory_version">;
export type ConversationLine = LineOf<"conversation" | "conversation_version">;
export type MessageLine = LineOf<"message" | "message_version" | "removed_message">;

let schema: Schema | undefined;

/** Null: no line of an archive, or not of one that this server can read. */
export function parseLine(value: unknown): ArchiveLine | null {
  schema ??= makeSchema();
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : null;
}

/** JSON Schema, draft 2020-12, of every line. */
export function lineJsonSchema(): string {
  schema ??= makeSchema();
  const json = { title: "A line of a Cofio archive", ...z.toJSONSchema(schema) };
  return `${JSON.stringify(json, null, 2)}\n`;
}
