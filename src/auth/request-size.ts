/** How long the body of a request may be: the platform lets 100 MB through, and most of what reads a body holds all of it. */
import { UserError } from "../errors.ts";
import type { Bytes } from "../vault/bytes.ts";

/** A batch of an import (`http/read-batch.ts`), the longest that is no upload. */
const MAX_CALL_BYTES = 8 * 1_048_576;
/** Forms, client registrations and ceremonies. Arbitrary: a registration may have half of it (`provider.ts`). */
const MAX_FORM_BYTES = 65_536;

/** Whole files, which `http/imports.ts` reads as a stream and no further than it may. */
const UPLOADS = new Set(["/api/imports", "/import"]);
const CALLS = /^\/(?:mcp$|api\/(?!auth\/|account\/)|v1\/)/;

/** The request, of which no more is read than may be. What its headers say is trusted only where it is too much. */
export async function withinSize(request: Request): Promise<Request | UserError> {
  const { pathname } = new URL(request.url);
  // What comes with a GET is read by nobody, and no new request could be made with it.
  const isUnread = request.method === "GET" || request.method === "HEAD";
  if (request.body === null || isUnread || UPLOADS.has(pathname)) return request;
  const maxBytes = CALLS.test(pathname) ? MAX_CALL_BYTES : MAX_FORM_BYTES;
  const stated = request.headers.get("content-length");
  // HTTP ends a body where it was said to end.
  if (stated !== null) return Number(stated) > maxBytes ? tooLarge(maxBytes) : request;
  const bytes = await readUpTo(request.body, maxBytes);
  return bytes === null
    ? tooLarge(maxBytes)
    : new Request(request, { method: request.method, body: bytes });
}

/** Null: there is more. */
async function readUpTo(body: ReadableStream<Bytes>, maxBytes: number): Promise<Blob | null> {
  const chunks: Bytes[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    // Leaving the loop cancels the rest.
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return new Blob(chunks);
}

function tooLarge(maxBytes: number): UserError {
  return new UserError(
    "too_large",
    `The request is larger than ${maxBytes / 1_024} KiB.`,
    "Send less at once. Files of an export are uploaded on the page /import.",
  );
}
