/** Requests to the memory stores, in the shape of Anthropic's API. */
import * as z from "zod";
import { UserError } from "../errors.ts";

/** As in Anthropic's API: with contents a page has at most 20. */
export const MAX_FULL_PAGE = 20;
const MAX_PAGE = 1_000;
const PAGE = 100;

/** Not at module scope: making them takes time of every isolate's start. */
function makeSchemas() {
  const metadataKey = z.string().min(1).max(64);
  const metadataValue = z.string().max(512);
  // A store's name is that of its project, which is shorter than the 255 characters of Anthropic's.
  const name = z
    .string()
    .trim()
    .min(1)
    .max(100)
    .regex(/^\P{Cc}*$/u);
  const description = z.string().max(1_024);
  const view = z.enum(["basic", "full"]);
  const page = z.string().optional();
  const limit = z.coerce.number().int().min(1).max(MAX_PAGE).default(PAGE);
  const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
  const between = { "created_at[gte]": time.optional(), "created_at[lte]": time.optional() };
  const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
  return {
    newStore: z.object({
      name,
      description: description.default(""),
      metadata: z.record(metadataKey, metadataValue).default({}),
    }),
    storeChanges: z.object({
      name: name.nullish(),
      description: description.nullish(),
      metadata: z.record(metadataKey, metadataValue.nullable()).nullish(),
    }),
    storeList: z.object({
      ...between,
      limit,
      page,
      include_archived: z.stringbool().default(false),
    }),
    view: z.object({ view: view.optional() }),
    newMemory: z.object({ path: z.string(), content: z.string().nullable() }),
    memoryChanges: z.object({
      path: z.string().nullish(),
      content: z.string().nullish(),
      precondition: z
        .object({ type: z.literal("content_sha256"), content_sha256: sha256.optional() })
        .nullish(),
    }),
    memoryList: z.object({
      path_prefix: z
        .string()
        .regex(/^\/(.*\/)?$/su)
        .default("/"),
      depth: z.coerce
        .number()
        .pipe(z.union([z.literal(0), z.literal(1)]))
        .default(0),
      view: view.default("basic"),
      limit,
      page,
    }),
    deletion: z.object({ expected_content_sha256: sha256.optional() }),
    versionList: z.object({
      ...between,
      memory_id: z.string().optional(),
      operation: z.enum(["created", "modified", "deleted"]).optional(),
      api_key_id: z.string().optional(),
      session_id: z.string().optional(),
      service_account_id: z.string().optional(),
      view: view.default("basic"),
      limit,
      page,
    }),
  };
}

type Schemas = ReturnType<typeof makeSchemas>;
let schemas: Schemas | undefined;

/** @throws UserError invalid_input */
export function parseRequest<Name extends keyof Schemas>(
  name: Name,
  value: unknown,
): z.output<Schemas[Name]> {
  schemas ??= makeSchemas();
  const parsed = schemas[name].safeParse(value);
  // True because the schema of this name parsed it.
  if (parsed.success) return parsed.data as z.output<Schemas[Name]>;
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: "is missing" };
  throw new UserError("invalid_input", `${path.join(".")}: ${message}`, "");
}

/** Of the store that a path names. */
export function storeIdIn(text: string | undefined): string {
  return idIn("memstore", text ?? "");
}

/** The id of a memory behind a prefixed one. Any text will do: an unknown id is not found. */
export function idIn(prefix: "mem" | "memstore", text: string): string {
  return text.startsWith(`${prefix}_`) ? text.slice(prefix.length + 1) : "";
}

/** An unknown version is not found. */
export function versionIn(text: string): { readonly id: string; readonly version: number } {
  const [, id = "", version = "0"] = /^memver_([^_]*)_(\d{1,9})$/.exec(text) ?? [];
  return { id, version: Number(version) };
}
