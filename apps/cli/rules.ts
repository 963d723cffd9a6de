import * as z from "zod";
import { readArguments, TARGET_USAGE, targetOptions, WrongUse } from "./arguments.ts";
import type { Command } from "./command.ts";
import { parseJson } from "./folder.ts";
import { callApi, openTarget } from "./target.ts";
import { print, printJson } from "./terminal.ts";

const rulesSchema = z.object({
  rules: z.record(z.string(), z.unknown()),
  own: z.array(z.string()),
});

export const rules: Command = {
  usage: `cofio rules [NAME=VALUE…]
  Shows the memory rules, or changes some: cofio rules max_memories=5000 auto_save='["work"]'
  NAME=null makes it the default again. At a deployment this needs a token that is trusted.

${TARGET_USAGE}`,
  async run(argv) {
    const { values, positionals } = readArguments(argv, targetOptions);
    const changes = Object.fromEntries(positionals.map(readChange));
    const target = await openTarget(values);
    try {
      const isChange = positionals.length > 0;
      const response = await callApi(target, "/rules", isChange ? patch(changes) : {});
      const answer = rulesSchema.parse(await response.json());
      if (values.json) printJson(answer);
      else print(linesOf(answer));
      return 0;
    } finally {
      target.close();
    }
  },
};

function readChange(text: string): [string, unknown] {
  const [, name, value] = /^(\w+)=(.*)$/su.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new WrongUse(`A change is NAME=VALUE, not "${text}".`);
  }
  // What is no JSON is a word: secrets=mask.
  return [name, value === "null" ? null : (parseJson(value) ?? value)];
}

function patch(changes: Readonly<Record<string, unknown>>): RequestInit {
  return {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(changes),
  };
}

function linesOf({ rules: effective, own }: z.infer<typeof rulesSchema>): string {
  return Object.entries(effective)
    .map(
      ([name, value]) =>
        `${name.padEnd(20)} ${JSON.stringify(value)}${own.includes(name) ? "  (yours)" : ""}`,
    )
    .join("\n");
}
