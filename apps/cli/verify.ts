import * as z from "zod";
import { checkInParts } from "../../src/integrity/check-in-parts.ts";
import { readArguments, TARGET_USAGE, targetOptions, WrongUse } from "./arguments.ts";
import type { Command } from "./command.ts";
import { callApi, openTarget, type Target } from "./target.ts";
import { openProgress, print, printJson } from "./terminal.ts";

const counts = z.record(z.string(), z.number());
const answerSchema = z.object({
  check: z.looseObject({
    state: z.enum(["running", "finished"]),
    checked: counts,
    repaired: counts,
    left: counts,
    named: z.array(
      z.object({
        what: z.string(),
        kind: z.string(),
        id: z.string(),
        version: z.number().optional(),
      }),
    ),
  }),
});
type Check = z.infer<typeof answerSchema>["check"];

export const verify: Command = {
  usage: `cofio verify
  Checks that all rows agree: memories and messages with their earlier states, the search index, labels, counters and operations.
  What follows from other rows is repaired; what nothing else tells is named by its id and left. Exit code 1: something was left.

${TARGET_USAGE}`,
  async run(argv) {
    const { values, positionals } = readArguments(argv, targetOptions);
    if (positionals.length > 0) throw new WrongUse(`What is "${positionals[0]}"?`);
    const target = await openTarget(values);
    try {
      const check = await checkAll(target);
      if (values.json) printJson({ check });
      else print(linesOf(check).join("\n"));
      return sumOf(check.left) === 0 ? 0 : 1;
    } finally {
      target.close();
    }
  },
};

async function checkAll(target: Target): Promise<Check> {
  const progress = openProgress();
  const askForPart = async () => {
    const response = await callApi(target, "/verify", { method: "POST" });
    return answerSchema.parse(await response.json()).check;
  };
  try {
    const check = await checkInParts(askForPart, {
      told: ({ checked }) => progress.show(null, `${sumOf(checked)} rows checked …`),
    });
    if (check === null) throw new Error("Nobody can stop it here");
    return check;
  } finally {
    progress.end();
  }
}

function linesOf({ checked, repaired, left, named }: Check): string[] {
  const told = (found: Readonly<Record<string, number>>) =>
    Object.entries(found)
      .map(([what, count]) => `${what} ${count}`)
      .join(", ");
  return [
    `${sumOf(checked)} rows checked.`,
    sumOf(repaired) === 0 ? "Nothing to repair." : `Repaired: ${told(repaired)}.`,
    ...(sumOf(left) === 0 ? [] : [`Left as it is: ${told(left)}. A backup may have it.`]),
    ...named.map(({ what, kind, id, version }) =>
      [`  ${what}`, kind, id, ...(version === undefined ? [] : [`version ${version}`])].join("  "),
    ),
  ];
}

function sumOf(numbers: Readonly<Record<string, number>>): number {
  return Object.values(numbers).reduce((sum, count) => sum + count, 0);
}
