/** Imports: files that a browser or a client uploads whole, and jobs of batches that a reader on the person's own machine sends. */
import { Hono, type Context } from "hono";
import * as z from "zod";
import { UserError } from "../errors.ts";
import {
  checkAnswer,
  importAnswer,
  listedImportAnswer,
  liveImport,
} from "../transfer/import-answer.ts";
import {
  beginImport,
  checkRecords,
  endImport,
  getImport,
  importBatch,
  listImports,
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
import { MAX_UPLOAD_BYTES } from "../storage/limits.ts";
import { expandZips } from "../transfer/unzip.ts";
import type { ExportFormat } from "../transfer/formats/format.ts";
import { pastedList } from "../transfer/formats/pasted-list.ts";
import type { ApiContext } from "./api.ts";
import { boundedBody } from "./bounded-body.ts";
import { readBatch } from "./read-batch.ts";
import { requireScope } from "./require-scope.ts";
import { takesQuery } from "./takes.ts";

/** Of a list: each comes with its report, which is opened for it. Arbitrary. */
const PAGE = 20;

const WANTED = "Send the batch as ARCHITECTURE.md describes it, or upload the file whole.";

export const importListSchema = z.object({ before: z.string().optional() });
export const importFilesSchema = z.object({
  dry_run: z.string().optional().describe("Given: only report"),
  as: z.literal("list").optional().describe("Pasted text, a memory a line"),
});

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
    .get("/", takesQuery<z.input<typeof importListSchema>>(), async (c) => {
      const before = c.req.query("before") ?? null;
      const listed = await listImports(account, { before, limit: PAGE });
      const last = listed.length === PAGE ? (listed.at(-1)?.job.id ?? null) : null;
      return c.json({
        imports: listed.map((one) => listedImportAnswer(one, rules)),
        next_before: last,
      });
    })
    .post("/", takesQuery<z.input<typeof importFilesSchema>>(), async (c) => {
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
      const upload = await readBatch(c, importSchemas().upload, WANTED);
      return begun(c, await account.oneAtATime(() => beginImport(account, upload, caller)));
    })
    .post("/restore", async (c) => {
      const archive = await readBatch(c, importSchemas().archive, WANTED);
      if (c.req.query("dry_run") !== undefined) {
        const report = await checkRestore(account, archive, caller);
        return c.json({ check: report === null ? null : checkAnswer(report, rules) });
      }
      const job = await account.oneAtATime(() => beginRestore(account, archive, caller));
      // It is imported as any other file.
      return job === null ? c.json({ job: null }) : begun(c, job);
    })
    .post("/:id/lines", async (c) => {
      const batch = await readBatch(c, importSchemas().lines, WANTED);
      const id = c.req.param("id");
      return answer(c, await account.oneAtATime(() => restoreBatch(account, id, batch, caller)));
    })
    .post("/check", async (c) => {
      const { records, report: soFar } = await readBatch(c, importSchemas().check, WANTED);
      const { report, wanted } = await checkRecords(account, records, { soFar, caller });
      const more = wanted === undefined ? {} : { wanted };
      return c.json({ check: checkAnswer(report, rules), report, ...more });
    })
    .post("/:id/batches", async (c) => {
      const batch = await readBatch(c, importSchemas().batch, WANTED);
      const id = c.req.param("id");
      return answer(c, await account.oneAtATime(() => importBatch(account, id, batch, caller)));
    })
    .post("/:id/finish", (c) => end(c, c.req.param("id"), "finished"))
    .post("/:id/cancel", (c) => end(c, c.req.param("id"), "cancelled"))
    .get("/:id", async (c) =>
      c.json(importAnswer(await getImport(account, c.req.param("id")), rules)),
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
