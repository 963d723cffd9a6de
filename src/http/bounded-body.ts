/** The body of a request, which is read no further than it may be long: what its headers say or leave out decides nothing. @param tooLarge thrown by whoever reads it */
import type { UserError } from "../errors.ts";

export function boundedBody(
  { body, headers }: Request,
  maxBytes: number,
  tooLarge: UserError,
): Response {
  let readBytes = 0;
  const bounded = body?.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        readBytes += chunk.length;
        if (readBytes > maxBytes) controller.error(tooLarge);
        else controller.enqueue(chunk);
      },
    }),
  );
  return new Response(bounded ?? null, {
    headers: { "content-type": headers.get("content-type") ?? "" },
  });
}
