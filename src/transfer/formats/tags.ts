/** Tags as memory tools write them. */
import { listOf } from "./json.ts";
import { trimmedTextOf } from "./text.ts";

/** From a list, from the JSON text of a list, or from "a, b"; without the `#` that some put before a tag. */
export function tagsOf(value: unknown): string[] {
  const tags = typeof value === "string" ? partsOf(value) : listOf(value);
  return tags.map((tag) => trimmedTextOf(tag).replace(/^#/, "")).filter((tag) => tag !== "");
}

function partsOf(text: string): readonly unknown[] {
  if (text.trimStart().startsWith("[")) {
    try {
      return listOf(JSON.parse(text));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return text.split(",");
}
