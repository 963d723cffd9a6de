import * as z from "zod";
import { cleanString } from "../../memory/memory.ts";
import { UserError } from "../../errors.ts";
import { readTimePhrase } from "../../search/time-phrase.ts";
import { CATEGORIES, ROLES } from "../../storage/closed-lists.ts";
import { checkAnswer, checkText, importAnswer, importText } from "../../transfer/import-answer.ts";
import { getImport } from "../../transfer/import-job.ts";
import { checkReading, importReading } from "../../transfer/import.ts";
import { isDatedList, pastedList } from "../../transfer/formats/pasted-list.ts";
import { plausible } from "../../transfer/formats/text.ts";
import { readItems, type SentItem } from "../../transfer/items.ts";
import { readExport, type ExportReading } from "../../transfer/read.ts";
import { utf8 } from "../../vault/bytes.ts";
import { list } from "../fields.ts";
import { defineTool } from "../tool.ts";

/** Larger exports go through the upload page. */
const MAX_DATA_BYTES = 1_048_576;
const MAX_ITEMS = 500;

const time = z.union([z.number(), z.string()]).optional();

const message = z.object({
  role: z.preprocess(
    (role) => (role === "human" ? "user" : role === "ai" ? "assistant" : role),
    z.enum(ROLES),
  ),
  content: z.string(),
  id: z.string().optional(),
  created_at: time,
  name: z.string().optional(),
  model: z.string().optional(),
});

/** Fields of memories and of conversations; which of the two an item is, its `messages` tell. */
const item = z.object({
  content: z.string().optional(),
  tags: list(20),
  project: z.string().optional(),
  category: z.enum(CATEGORIES).optional().catch(undefined),
  importance: z.number().optional(),
  source: z.string().optional(),
  title: z.string().optional(),
  platform: z.string().optional(),
  id: z.string().optional(),
  created_at: time,
  messages: z.array(message).optional(),
});

function parseJson(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch (error) {
    if (error instanceof SyntaxError) return value;
    throw error;
  }
}

export const importData = defineTool({
  name: "import_data",
  title: "Import data",
  description:
    "Bring in memories or chats: `data` is the text of an export (ChatGPT, Claude, Gemini, coding agents, memory tools …), `items` are single memories {content, tags…} or conversations {platform, id, title, messages: [{role, content}]}, appended when known. Importing twice changes nothing. With neither, gives the upload page for large files. One fact: save_memory.",
  input: z.object({
    data: z
      .preprocess(
        (value) => (typeof value === "object" ? JSON.stringify(value) : value),
        z.string(),
      )
      .optional(),
    items: z
      .preprocess(parseJson, z.array(z.unknown()).max(MAX_ITEMS))
      .meta({ items: { type: "object" } })
      .optional(),
    dry_run: z.boolean().default(false).describe("Only report"),
    job_id: z.string().max(64).optional().describe("Ask how an import stands"),
  }),
  aliases: {
    text: "data",
    content: "data",
    memories: "items",
    conversations: "items",
    job: "job_id",
    preview: "dry_run",
  },
  output: {
    format: "string",
    dry_run: "boolean",
    items: "object",
    skipped_reasons: "array",
    rules: "array",
    files: "array",
    more_files: "number",
    operation_id: "string",
    job: "object",
    upload_url: "string",
  },
  annotations: {
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  },
  scope: "data:import",

  async run({ data, items, dry_run, job_id }, { account, caller, publicOrigin }) {
    const { rules } = account;
    if (job_id !== undefined) {
      const job = await getImport(account, job_id);
      return { structured: importAnswer(job, rules), text: importText(job, rules) };
    }
    if (data === undefined && items === undefined) {
      const url = `${publicOrigin}/import`;
      return { structured: { upload_url: url }, text: `Files are uploaded at ${url}` };
    }
    if (data !== undefined && items !== undefined) {
      throw new UserError(
        "invalid_input",
        "Both `data` and `items` were sent.",
        "Send one of them, and the other in a second call.",
      );
    }
    if (data !== undefined && utf8(data).length > MAX_DATA_BYTES) {
      throw new UserError(
        "too_large",
        "`data` is larger than 1 MiB.",
        `Upload the file at ${publicOrigin}/import.`,
      );
    }
    const reading =
      items === undefined
        ? await readData(data ?? "")
        : readItems(items.map((sent) => sentItem(sent, caller.now, account.timeZone)));
    if (dry_run) {
      const report = await checkReading(account, reading, caller);
      return { structured: checkAnswer(report, rules), text: checkText(report, rules) };
    }
    const job = await importReading(account, reading, caller);
    return { structured: importAnswer(job, rules), text: importText(job, rules) };
  },
});

/** @throws UserError unsupported_format */
async function readData(data: string): Promise<ExportReading> {
  const files = [{ name: "data", bytes: data }];
  try {
    return await readExport(files);
  } catch (error) {
    const isUnknown = error instanceof UserError && error.code === "unsupported_format";
    if (isUnknown && isDatedList(data)) return readExport(files, { as: pastedList });
    throw error;
  }
}

/** One item that cannot be read never costs the others. */
function sentItem(value: unknown, now: number, timeZone: string): SentItem {
  const parsed = item.safeParse(typeof value === "string" ? { content: value } : value);
  if (!parsed.success) return unreadable(value);
  const { content, messages, created_at, ...rest } = parsed.data;
  try {
    const createdAt = readTime(created_at, now, timeZone);
    if (messages !== undefined) {
      return {
        type: "conversation",
        conversation: {
          id: rest.id,
          title: rest.title === undefined ? undefined : cleanString(rest.title),
          platform: rest.platform ?? rest.source,
          project: rest.project,
          createdAt,
          messages: messages.map(({ created_at: said, content: text, ...fields }) => ({
            ...fields,
            content: cleanString(text),
            createdAt: readTime(said, now, timeZone),
          })),
        },
      };
    }
    if (content === undefined) return unreadable(value);
    const memory = { ...rest, content, source: rest.source ?? rest.platform, createdAt };
    return { type: "memory", memory };
  } catch (error) {
    // A date that cannot be read; anything else is a bug.
    if (error instanceof UserError) return unreadable(value);
    throw error;
  }
}

function unreadable(value: unknown): SentItem {
  return {
    type: "unreadable",
    example: (JSON.stringify(value) ?? "").slice(0, 120).toWellFormed(),
  };
}

/** Seconds, milliseconds, ISO 8601 or words. */
function readTime(
  given: string | number | undefined,
  now: number,
  timeZone: string,
): number | undefined {
  if (given === undefined) return undefined;
  if (typeof given === "string") return readTimePhrase(given, now, timeZone).start;
  // Seconds of any year up to 5138 are below 10^11, milliseconds since 1973 above. Nonsense counts as not given.
  return plausible(Math.round(given < 1e11 ? given * 1000 : given)) ?? undefined;
}
