/** Imports: files that a browser or a client uploads whole, and jobs of batches that a reader on the person's own machine sends. */
import { Hono, type Context } from "hono";
import * as z from "zod";
import { UserError } from "../errors.ts";
import { checkAnswer, importAnswer, liveImport } from "../transfer/import-answer.ts";
import {
  beginImport,
  checkRecords,
  endImport,
  getImport,
  importBatch,
  type ImportJob,
} from "../transfer/import-job.ts";
import { checkReading, importReading } from "../transfer/import.ts";
import { importSchemas } from "../transfer/import-wire.ts";
import { readExport } from "../transfer/read.ts";
import { beginRestore, restoreArchive, restoreBatch } from "../transfer/restore-archive.ts";
import { expandZips } from "../transfer/unzip.ts";
import type { ExportFormat } from "../transfer/formats/format.ts";
import { pastedList } from "../transfer/formats/pasted-list.ts";
import type { ApiContext } from "./api.ts";
import { readJson } from "./read-json.ts";
import { requireScope } from "./require-scope.ts";

/** What the Worker reads itself; it has 128 MB of memory. Arbitrary below that. */
const MAX_UPLOAD_BYTES = 25 * 1_048_576;
/** A batch has at most 1.5 million characters, of which JSON may make several bytes each; one message may be longer. */
const MAX_BATCH_BYTES = 8 * 1_048_576;

const WANTED = "Send the batch as ARCHITECTURE.md describes it, or upload the file whole.";

export function imports({ account, caller, scopes, showImport }: ApiContext) {
  const { rules } = account;
  const answer = (c: Context, job: ImportJob) => {
    showImport(job.id, liveImport(job));
    return c.json(importAnswer(job, rules));
  };
  return new Hono()
    .use(async (_, next) => {
      requireScope(scopes, "data:import");
      await next();
    })
    .post("/", async (c) => {
      if (Number(c.req.header("content-length") ?? 0) > MAX_UPLOAD_BYTES) throw tooLarge();
      const files = await expandZips(await readFiles(c.req.raw));
      const isTrial = c.req.query("dry_run") !== undefined;
      const restored = isTrial ? null : await restoreArchive(account, files, caller);
      if (restored !== null) return answer(c, restored);
      const reading = await readExport(files, { as: formatNamed(c.req.query("as")) });
      if (isTrial) {
        return c.json(checkAnswer(await checkReading(account, reading, caller), rules));
      }
      return answer(c, await importReading(account, reading, caller));
    })
    .post("/begin", async (c) => {
      const upload = await parse(c, importSchemas().upload);
      const job = await account.oneAtATime(() => beginImport(account, upload, caller));
      showImport(job.id, liveImport(job));
      return c.json({ ...importAnswer(job, rules), limits: job.limits });
    })
    .post("/restore", async (c) => {
      const archive = await parse(c, importSchemas().archive);
      const job = await account.oneAtATime(() => beginRestore(account, archive, caller));
      // The account holds something of its own: the archive is imported as any other file.
      return job === null ? c.json({ job: null }) : answer(c, job);
    })
    .post("/:id/lines", async (c) => {
      const batch = await parse(c, importSchemas().lines);
      const id = c.req.param("id");
      return answer(c, await account.oneAtATime(() => restoreBatch(account, id, batch, caller)));
    })
    .post("/check", async (c) => {
      const { records, report: soFar } = await parse(c, importSchemas().check);
      const report = await checkRecords(account, records, { soFar, caller });
      return c.json({ check: checkAnswer(report, rules), report });
    })
    .post("/:id/batches", async (c) => {
      const batch = await parse(c, importSchemas().batch);
      const id = c.req.param("id");
      return answer(c, await account.oneAtATime(() => importBatch(account, id, batch, caller)));
    })
    .post("/:id/finish", async (c) => {
      const id = c.req.param("id");
      return answer(
        c,
        await account.oneAtATime(() => endImport(account, id, "finished", caller.now)),
      );
    })
    .post("/:id/cancel", async (c) => {
      const id = c.req.param("id");
      return answer(
        c,
        await account.oneAtATime(() => endImport(account, id, "cancelled", caller.now)),
      );
    })
    .get("/:id", async (c) =>
      c.json(importAnswer(await getImport(account, c.req.param("id"), caller.now), rules)),
    );
}

async function parse<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  if (Number(c.req.header("content-length") ?? 0) > MAX_BATCH_BYTES) {
    throw new UserError(
      "too_large",
      "The batch is larger than 8 MiB.",
      "Send what the answer to `begin` allows.",
    );
  }
  const parsed = schema.safeParse(await readJson(c, WANTED));
  if (parsed.success) return parsed.data;
  throw new UserError(
    "invalid_input",
    "The body has not the shape of this call.",
    z.prettifyError(parsed.error).slice(0, 500),
  );
}

/** `?as=list`: pasted text, a memory a line. Everything else is recognised by its structure. */
function formatNamed(name: string | undefined): ExportFormat | null {
  if (name === undefined) return null;
  if (name === "list") return pastedList;
  throw new UserError(
    "invalid_input",
    "`as` is no format that must be named.",
    "Send `as=list` for a pasted list of memories, and nothing for exports.",
  );
}

async function readFiles(request: Request): Promise<File[]> {
  const type = request.headers.get("content-type") ?? "";
  if (!type.startsWith("multipart/form-data")) {
    const body = await request.blob();
    if (body.size > MAX_UPLOAD_BYTES) throw tooLarge();
    return [new File([body], "upload")];
  }
  const form = await request.formData().catch((error: unknown) => {
    // Without a boundary, or cut off.
    if (!(error instanceof TypeError)) throw error;
    throw new UserError(
      "invalid_input",
      "The upload cannot be read as a form.",
      "Send the files as multipart/form-data in fields called files, or one file as the body.",
    );
  });
  const files = form
    .getAll("files")
    .filter((part) => part instanceof File)
    .filter(({ size }) => size > 0);
  if (files.length === 0) {
    throw new UserError("invalid_input", "No file was chosen.", "Choose the files of an export.");
  }
  if (files.reduce((sum, { size }) => sum + size, 0) > MAX_UPLOAD_BYTES) throw tooLarge();
  return files;
}

function tooLarge(): UserError {
  return new UserError(
    "too_large",
    "The upload is larger than 25 MiB.",
    "Send the parts of the export one after the other.",
  );
}
