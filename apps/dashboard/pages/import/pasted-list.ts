import type { InferResponseType } from "hono/client";
import { answerOf, api, toProblem } from "../../api.ts";
import type { SendList } from "./importer.ts";

/** Checks or imports a list as it was pasted. */
export const sendPastedList: SendList = (list, { dryRun }) =>
  answerOf<InferResponseType<typeof api.imports.$post>>(
    api.imports.$post(
      { query: { as: "list", ...(dryRun ? { dry_run: "1" } : {}) } },
      { init: { body: list, headers: TEXT } },
    ),
  ).catch((error: unknown) => ({ problem: toProblem(error) }));

const TEXT = { accept: "application/json", "content-type": "text/plain" };
