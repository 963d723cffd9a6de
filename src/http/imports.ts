/** Uploads: a form that a browser posts, or any client with a token. */
import { Hono } from "hono";
import { UserError } from "../errors.ts";
import { getImport, importReading } from "../transfer/import.ts";
import { importAnswer } from "../transfer/import-answer.ts";
import { readExport } from "../transfer/read.ts";
import { expandZips } from "../transfer/unzip.ts";
import type { ExportFormat } from "../transfer/formats/format.ts";
import { pastedList } from "../transfer/formats/pasted-list.ts";
import type { ApiContext } from "./api.ts";
import { requireScope } from "./require-scope.ts";

/** What the Worker reads itself; it has 128 MB of memory. Arbitrary below that. */
const MAX_UPLOAD_BYTES = 25 * 1_048_576;

export function imports({ account, caller, scopes }: ApiContext) {
  return new Hono()
    .post("/", async (c) => {
      requireScope(scopes, "data:import");
      if (Number(c.req.header("content-length") ?? 0) > MAX_UPLOAD_BYTES) throw tooLarge();
      const files = await expandZips(await readFiles(c.req.raw));
      const reading = await readExport(files, { as: formatNamed(c.req.query("as")) });
      return c.json(importAnswer(await importReading(account, reading, caller)));
    })
    .get("/:id", async (c) => {
      requireScope(scopes, "data:import");
      return c.json(importAnswer(await getImport(account, c.req.param("id"))));
    });
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
