import * as z from "zod";
import { UserError } from "../../src/errors.ts";
import { readArguments, TARGET_USAGE, targetOptions, WrongUse } from "./arguments.ts";
import { awaitJob } from "./await-job.ts";
import type { Command } from "./command.ts";
import { callApi, openTarget, type Target } from "./target.ts";
import { openProgress, print, printJson } from "./terminal.ts";

const backupSchema = z.looseObject({
  id: z.string(),
  state: z.string(),
  created_at: z.string(),
  rows: z.record(z.string(), z.number()).optional(),
  size_bytes: z.number().nullish(),
  verified_at: z.string().nullish(),
});
type Backup = z.infer<typeof backupSchema>;
const oneSchema = z.object({ backup: backupSchema });
const listSchema = z.object({ backups: z.array(backupSchema) });

export const backup: Command = {
  usage: `cofio backup [--list]
  Makes a backup now, beside those that Cofio makes by itself every night after a change. It stays inside Cofio, encrypted:
  a copy that you keep elsewhere is made by cofio export. Restoring one: README.md, "Backups".

  --list            show those that there are
${TARGET_USAGE}`,
  async run(argv) {
    const { values, positionals } = readArguments(argv, {
      ...targetOptions,
      list: { type: "boolean", default: false },
    });
    if (positionals.length > 0) throw new WrongUse(`What is "${positionals[0]}"?`);
    const target = await openTarget(values);
    try {
      if (values.list) {
        const { backups } = listSchema.parse(await (await callApi(target, "/backups")).json());
        if (values.json) printJson({ backups });
        else
          print(backups.length === 0 ? "There is no backup yet." : backups.map(lineOf).join("\n"));
        return 0;
      }
      const made = await makeBackup(target);
      if (values.json) printJson({ backup: made });
      else print(lineOf(made));
      return 0;
    } finally {
      target.close();
    }
  },
};

async function makeBackup(target: Target): Promise<Backup> {
  const progress = openProgress();
  const read = async (path: string, init: RequestInit = {}) =>
    oneSchema.parse(await (await callApi(target, path, init)).json()).backup;
  try {
    progress.show(null, "Copying all rows …");
    const job = await awaitJob(await read("/backups", { method: "POST" }), {
      stateOf: ({ state }) => state,
      askAgain: ({ id }) => read(`/backups/${id}`),
    });
    if (job.state === "finished") return job;
    throw new UserError("invalid_input", "The backup failed.", "Try again.");
  } finally {
    progress.end();
  }
}

function lineOf({ id, state, created_at, rows, size_bytes, verified_at }: Backup): string {
  const parts = [
    id,
    created_at,
    state,
    ...(rows === undefined ? [] : [`${sumOf(rows)} rows`]),
    ...(size_bytes == null ? [] : [`${size_bytes} bytes`]),
    ...(verified_at == null ? [] : [`verified ${verified_at}`]),
  ];
  return parts.join("  ");
}

function sumOf(rows: Readonly<Record<string, number>>): number {
  return Object.values(rows).reduce((sum, count) => sum + count, 0);
}
