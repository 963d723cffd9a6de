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
import {
  beginRestore,
  checkArchive,
  checkRestore,
  restoreArchive,
  restoreBatch,
} from "../transfer/restore-archive.ts";
import { expandZips } from "../transfer/unzip.ts";
import type { ExportFormat } from "../transfer/formats/format.ts";
import { pastedList } from "../transfer/formats/pasted-list.ts";
import type { ApiContext } from "./api.ts";
import { boundedBody } from "./bounded-body.ts";
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
  const begun = (c: Context, job: ImportJob) => {
    showImport(job.id, liveImport(job));
    return c.json({ ...importAnswer(job, rules), limits: job.limits });
  };
  const end = async (c: Context, id: string, state: "finished" | "cancelled") =>
    answer(c, await account.oneAtATime(() => endImport(account, id, state, caller.now)));
  return new Hono()
    .use(async (_, next) => {
      requireScope(scopes, "data:import");
      await next();
    })
    .post("/", async (c) => {
      const files = await expandZips(await readFiles(c.req.raw));
      const as = formatNamed(c.req.query("as"));
      if (c.req.query("dry_run") !== undefined) {
        const report =
          (await checkArchive(account, files, caller)) ??
          (await checkReading(account, await readExport(files, { as }), caller));
        return c.json(checkAnswer(report, rules));
      }
      const job =
        (await restoreArchive(account, files, caller)) ??
        (await importReading(account, await readExport(files, { as }), caller));
      return answer(c, job);
    })
    .post("/begin", async (c) => {
      const upload = await parse(c, importSchemas().upload);
      return begun(c, await account.oneAtATime(() => beginImport(account, upload, caller)));
    })
    .post("/restore", async (c) => {
      const archive = await parse(c, importSchemas().archive);
      if (c.req.query("dry_run") !== undefined) {
        const report = await checkRestore(account, archive, caller);
        return c.json({ check: report === null ? null : checkAnswer(report, rules) });
      }
      const job = await account.oneAtATime(() => beginRestore(account, archive, caller));
      // It is imported as any other file.
      return job === null ? c.json({ job: null }) : begun(c, job);
    })
    .post("/:id/lines", async (c) => {
      const batch = await parse(c, importSchemas().lines);
      const id = c.req.param("id");
      return answer(c, await account.oneAtATime(() => restoreBatch(account, id, batch, caller)));
    })
    .post("/check", async (c) => {
      const { records, report: soFar } = await parse(c, importSchemas().check);
      const { report, wanted } = await checkRecords(account, records, { soFar, caller });
      const more = wanted === undefined ? {} : { wanted };
      return c.json({ check: checkAnswer(report, rules), report, ...more });
    })
    .post("/:id/batches", async (c) => {
      const batch = await parse(c, importSchemas().batch);
      const id = c.req.param("id");
      return answer(c, await account.oneAtATime(() => importBatch(account, id, batch, caller)));
    })
    .post("/:id/finish", (c) => end(c, c.req.param("id"), "finished"))
    .post("/:id/cancel", (c) => end(c, c.req.param("id"), "cancelled"))
    .get("/:id", async (c) =>
      c.json(importAnswer(await getImport(account, c.req.param("id")), rules)),
    );
}

async function parse<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const body = boundedBody(
    c.req.raw,
    MAX_BATCH_BYTES,
    new UserError(
      "too_large",
      "The batch is larger than 8 MiB.",
      "Send what the answer to `begin` allows.",
    ),
  );
  const parsed = schema.safeParse(await readJson({ req: body }, WANTED));
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
  const body = boundedBody(request, MAX_UPLOAD_BYTES, tooLarge());
  if (!type.startsWith("multipart/form-data")) return [new File([await body.blob()], "upload")];
  const form = await body.formData().catch((error: unknown) => {
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
  return files;
}

function tooLarge(): UserError {
  return new UserError(
    "too_large",
    "The upload is larger than 25 MiB.",
    "Send the parts of the export one after the other.",
  );
}
