import type { Context } from "hono";
import * as z from "zod";
import { UserError } from "../errors.ts";
import { boundedBody } from "./bounded-body.ts";
import { readJson } from "./read-json.ts";

/** A batch has at most 1.5 million characters, of which JSON may make several bytes each; one message may be longer. */
const MAX_BATCH_BYTES = 8 * 1_048_576;

/** The body of a call that may carry a batch. @param wanted what to send instead, as a hint @throws UserError too_large, invalid_input */
export async function readBatch<T>(c: Context, schema: z.ZodType<T>, wanted: string): Promise<T> {
  const body = boundedBody(
    c.req.raw,
    MAX_BATCH_BYTES,
    new UserError(
      "too_large",
      "The batch is larger than 8 MiB.",
      "Send what the answer to `begin` allows.",
    ),
  );
  return checkShape(schema, await readJson({ req: body }, wanted));
}

/** @throws UserError invalid_input */
export function checkShape<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UserError(
    "invalid_input",
    "This has not the shape of the call.",
    z.prettifyError(parsed.error).slice(0, 500),
  );
}
