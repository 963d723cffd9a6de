/** Writes `src/mcp/input-schemas.json`, a part of `npm run types`. A test fails while it is not what the tools say. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inputSchemaOf } from "../src/mcp/input-schema.ts";
import { chatgptTools, tools } from "../src/mcp/tools/index.ts";

const schemas = Object.fromEntries(
  [...tools, ...chatgptTools].map((tool) => [tool.name, inputSchemaOf(tool)]),
);
const file = join(import.meta.dirname, "../src/mcp/input-schemas.json");
writeFileSync(file, `${JSON.stringify(schemas, null, 2)}\n`);
