import { validator } from "hono/validator";
import * as z from "zod";
import { UserError } from "../../errors.ts";
import { displayName } from "../display-name.ts";

/** A name as it is shown; what is nothing then is no name. */
export const shownName = z
  .string()
  .transform((text) => displayName(text, ""))
  .refine((text) => text !== "", "is empty");

/** The body of a request, parsed; its type is the client's too. @param wanted what to send instead, as the hint @throws UserError invalid_input */
export function validJson<Schema extends z.ZodType>(schema: Schema, wanted: string) {
  return validator("json", (value: unknown): z.output<Schema> => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const { path, message } = parsed.error.issues[0] ?? { path: [], message: "is missing" };
    const what = path.length === 0 ? "The body" : `\`${path.join(".")}\``;
    throw new UserError("invalid_input", `${what}: ${message}.`, wanted);
  });
}
