/**
 * What a reader sends, parsed: records in the shape of `batches.ts`. The sender is the person's own machine, but any client with a token
 * may write one.
 */
import * as z from "zod";
import { cleanString } from "../memory/memory.ts";
import { CATEGORIES, ROLES, SOURCES } from "../storage/closed-lists.ts";
import { OPENING_MESSAGES, type BatchRecord } from "./batches.ts";
import { FORMATS } from "./formats/index.ts";
import { pastedList } from "./formats/pasted-list.ts";
import { plausible } from "./formats/text.ts";
import type { ImportBatchInput, Upload } from "./import-job.ts";
import { RULE_ACTIONS } from "./import-notes.ts";
import type { RecognisedFile } from "./read.ts";
import { ITEM_KINDS, SKIP_REASONS } from "./records.ts";
import type { ImportReport } from "./report.ts";

let schemas: ReturnType<typeof makeSchemas> | undefined;

/** Made when they are first wanted: at module scope they would cost every start some 10 ms. */
export function importSchemas(): ReturnType<typeof makeSchemas> {
  return (schemas ??= makeSchemas());
}

function makeSchemas() {
  const count = z.int().min(0);
  const text = z.string().transform(cleanString);
  /** Longer ones are nobody's ids; they go into keyed hashes and the ciphertext. */
  const id = z.string().min(1).max(1_000).transform(cleanString);
  /** Milliseconds UTC; a time that is none counts as not given. */
  const time = z
    .number()
    .nullable()
    .transform((value) => (value === null ? null : plausible(Math.round(value))));
  const someTime = z.int().min(1).max(8.64e15).exactOptional();
  const ownId = z.string().max(64).exactOptional();
  const isDerived = z.literal(true).exactOptional();
  const provenance = z.object({ platform: z.enum(SOURCES), id, isDerived });
  const messageProvenance = z.object({ id, isDerived });

  const message = z.object({
    provenance: messageProvenance,
    ownId,
    role: z.enum(ROLES),
    text,
    createdAt: time,
    name: text.exactOptional(),
    model: text.exactOptional(),
    attachments: z.array(z.object({ name: text, text: text.exactOptional() })),
  });

  const conversation = z.object({
    source: z.enum(SOURCES),
    provenance,
    ownId,
    title: text.nullable(),
    createdAt: time,
    updatedAt: time,
    project: text.exactOptional(),
    messages: z.array(message),
  });

  const memory = z.object({
    source: z.enum(SOURCES),
    provenance,
    ownId,
    content: text,
    tags: z.array(text),
    project: text.exactOptional(),
    category: z.enum(CATEGORIES).exactOptional(),
    importance: z.number().exactOptional(),
    createdAt: someTime,
    updatedAt: someTime,
    origin: z.enum(["user", "assistant"]).exactOptional(),
    status: z.enum(["active", "pending"]).exactOptional(),
    expiresAt: someTime,
    supersededBy: z.string().exactOptional(),
    supersedes: z.string().exactOptional(),
    userAsked: z.boolean().exactOptional(),
    askedAs: z.array(text).exactOptional(),
    path: text.exactOptional(),
  });

  const record: z.ZodType<BatchRecord> = z.discriminatedUnion("type", [
    z.object({
      type: z.literal("conversation"),
      conversation,
      part: z
        .object({
          isLast: z.boolean(),
          previous: messageProvenance.nullable(),
          opening: z.array(messageProvenance).max(OPENING_MESSAGES).exactOptional(),
        })
        .exactOptional(),
    }),
    z.object({
      type: z.literal("unchanged"),
      provenance,
      digest: z.hex().length(64),
      messages: count,
      isLast: z.boolean(),
    }),
    z.object({ type: z.literal("memory"), memory }),
    z.object({
      type: z.literal("skipped"),
      kind: z.enum(ITEM_KINDS),
      reason: z.enum(SKIP_REASONS),
      count,
      examples: z.array(text.transform((example) => example.slice(0, 120).toWellFormed())).max(3),
    }),
  ]);

  /** A reader's own words about a file. Arbitrary. */
  const notice = z.string().max(5_000).transform(cleanString);
  const file: z.ZodType<RecognisedFile> = z.discriminatedUnion("outcome", [
    z.object({
      outcome: z.literal("read"),
      name: text,
      // It stands in the job in the clear.
      format: z.enum([...FORMATS, pastedList].map(({ name }) => name)),
      source: z.enum(SOURCES),
      truncated: z.boolean(),
    }),
    z.object({
      outcome: z.literal("not_read"),
      name: text,
      reason: z.enum(["personal_data", "manifest", "archive", "empty", "unsupported"]),
      message: notice,
      hint: notice,
    }),
  ]);

  const upload: z.ZodType<Upload> = z.object({
    files: z.array(file).min(1).max(10_000),
    totals: z.object({ conversation: count, message: count, memory: count }),
    key: z.string().max(200),
    bytesTotal: count,
  });

  const batch: z.ZodType<ImportBatchInput> = z
    .object({
      number: z.int().min(1),
      through: z.int().min(1).exactOptional(),
      records: z.array(record),
      bytesRead: count,
    })
    .refine(({ number, through = number }) => through >= number, "through: before number");

  const kindCounts = z.object({
    found: count,
    new: count,
    updated: count,
    unchanged: count,
    skipped: count,
  });
  const report: z.ZodType<ImportReport> = z.object({
    byKind: z.object({ conversation: kindCounts, message: kindCounts, memory: kindCounts }),
    skippedReasons: z.array(
      z.object({
        kind: z.enum(ITEM_KINDS),
        reason: z.enum(SKIP_REASONS),
        count,
        examples: z.array(text),
      }),
    ),
    files: z.array(file),
    moreFiles: count.exactOptional(),
    ruleActions: z.partialRecord(z.enum(RULE_ACTIONS), count),
  });

  // A check keeps nothing: what was found so far comes with each part of it.
  const check = z.object({ records: z.array(record), report });

  // Of an archive that may be restored, and its lines, which `archive-lines.ts` reads one by one.
  const archive = z.object({
    name: text,
    manifestText: z.string().max(1_048_576),
    totals: z.object({ conversation: count, message: count, memory: count }),
  });

  const lines = z.object({ number: z.int().min(1), lines: z.array(z.unknown()) });

  return { upload, batch, check, archive, lines };
}
