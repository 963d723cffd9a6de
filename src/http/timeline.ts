/** When memories came and conversations were held, day by day: for a chart. */
import { Hono } from "hono";
import * as z from "zod";
import { UserError } from "../errors.ts";
import { timeline as timelineOf } from "../memory/timeline.ts";
import type { ApiContext } from "./api.ts";
import { requireScope } from "./require-scope.ts";
import { takesQuery } from "./takes.ts";

const MAX_DAYS = 366;

export const timelineSchema = z.object({
  days: z.coerce.number().int().min(1).max(MAX_DAYS).default(90),
});

export function timeline({ account, caller, scopes }: ApiContext) {
  return new Hono().get("/", takesQuery<{ days?: number }>(), async (c) => {
    requireScope(scopes, "memories:read");
    const parsed = timelineSchema.safeParse(c.req.query());
    if (!parsed.success) {
      const message = `\`days\` is to be a number from 1 to ${MAX_DAYS}.`;
      throw new UserError("invalid_input", message, "Ask for ?days=90.");
    }
    const { days, isComplete } = await timelineOf(account, { ...parsed.data, now: caller.now });
    return c.json({ time_zone: account.timeZone, days, is_complete: isComplete });
  });
}
