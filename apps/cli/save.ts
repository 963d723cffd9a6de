import { text as readText } from "node:stream/consumers";
import {
  readArguments,
  readWholeNumber,
  TARGET_USAGE,
  targetOptions,
  WrongUse,
} from "./arguments.ts";
import type { Command } from "./command.ts";
import { callTool, openTarget } from "./target.ts";
import { print, printJson } from "./terminal.ts";

export const save: Command = {
  usage: `cofio save TEXT… | -
  Saves one memory: the words as one text, or with - what comes over stdin. Words that begin with a dash stand after --

  --tag TAG         may be given several times
  --project NAME    which project of yours it belongs to
  --category NAME   such as preferences or work; anything else becomes a tag
  --importance 1-5  5 for what matters most (default: 3)
${TARGET_USAGE}`,
  async run(argv) {
    const { values, positionals } = readArguments(argv, {
      ...targetOptions,
      tag: { type: "string", multiple: true },
      project: { type: "string" },
      category: { type: "string" },
      importance: { type: "string" },
    });
    const importance = readWholeNumber("--importance", values.importance, { least: 1, most: 5 });
    const isPiped = positionals.length === 1 && positionals[0] === "-";
    const content = (isPiped ? await readText(process.stdin) : positionals.join(" ")).trim();
    if (content === "") throw new WrongUse("What is to be saved?");
    const target = await openTarget(values);
    try {
      const { text, structured } = await callTool(target, "save_memory", {
        content,
        // It is the person who types.
        origin: "user",
        user_asked: true,
        ...given("tags", values.tag),
        ...given("project", values.project),
        ...given("category", values.category),
        ...given("importance", importance),
      });
      if (values.json) printJson(structured);
      else print(text);
      return 0;
    } finally {
      target.close();
    }
  },
};

function given(name: string, value: string | number | readonly string[] | undefined) {
  return value === undefined ? {} : { [name]: value };
}
