import * as z from "zod";
import type { Tool } from "./tool.ts";

/**
 * The JSON Schema that clients are shown for a tool's input. `input-schemas.json` keeps them, made by `npm run types`: making
 * them at start-up took 11 ms in every isolate.
 */
export function inputSchemaOf(tool: Tool): Record<string, unknown> {
  const schema = z.toJSONSchema(tool.input, {
    io: "input",
    // Bounds of safe integers say nothing to a model and cost it tokens.
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  delete schema.$schema;
  delete schema.additionalProperties;
  // A plain object, without the library's own hidden properties.
  return structuredClone({ ...schema });
}
