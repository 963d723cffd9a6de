/** Backups, rehearsals and restores whose calls to D1 and R2 fail, each one once or until a step gives up. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { openBackupStores, type BackupStores } from "../../src/storage/open-account.ts";
import { openBackupRestore } from "../../src/storage/backup-restore.ts";
import { SQL_CHANGED } from "../../src/storage/accounts.ts";
import { SCHEDULE } from "../../src/storage/backups.ts";
import {
  createBackup,
  removeBackup,
  removeOldBackups,
  writeBackup,
  type Step,
} from "../../src/transfer/backup.ts";
import { rehearse } from "../../src/transfer/rehearsal.ts";
import {
  backupsOfRestores,
  createRestore,
  restoreBackup,
  type RestoreMode,
} from "../../src/transfer/restore-backup.ts";
import {
  backUp,
  chat,
  fillWith,
  patchRules,
  rowsOf,
  save,
  withoutOperation,
} from "../support/backups.ts";
import { withFaults, type Faults } from "../support/faults.ts";
import { callTool, newPerson, type Person } from "../support/people.ts";

const MAKER = { grantId: "test", client: "Test" };
/** As a Workflow tries a step again; fewer times. */
const ATTEMPTS = 3;
/** Dozens of backups, or of restores with a backup before each. */
const MANY_RUNS_MS = 120_000;

/** Drizzle says which query it was, and names the cause apart. */
const INJECTED = /Injected|Failed query/u;

const step: Step = async (_name, work) => {
  for (let attempt = 1; ; attempt++) {
    try {
      // What a Workflow keeps of a result.
      return structuredClone(await work());
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
};

test(
  "a backup goes on after any one call that fails, or whose answer gets lost, and is whole",
  async () => {
    const person = await newPerson();
    await smallAccount(person);
    const stores = openBackupStores(env, person.userId);
    const calls = await countCalls((faults) => writeNew(person, faults));
    expect(calls).toBeGreaterThan(20);
    const { id: undisturbed } = await backUp(person);
    const expected = await tablesOf(stores, undisturbed);
    for (const failing of ["before", "after"] as const) {
      for (let at = 1; at <= calls; at++) {
        const id = await writeNew(person, failingAt(at, failing));
        expect(await tablesOf(stores, id)).toEqual(expected);
      }
    }
  },
  MANY_RUNS_MS,
);

test("a backup whose step gives up is failed, and nothing of it is left", async () => {
  const person = await newPerson();
  await smallAccount(person);
  const calls = await countCalls((faults) => writeNew(person, faults));
  for (let at = 1; at <= calls; at++) {
    await expect(writeNew(person, failingFrom(at))).rejects.toThrow(INJECTED);
    const stores = openBackupStores(env, person.userId);
    const job = await stores.backups.newest("backup", ["running", "finished", "failed"]);
    expect(job).toMatchObject({ state: "failed" });
    const prefix = `backups/${person.userId}/${job?.id}/`;
    expect((await env.ARCHIVES.list({ prefix })).objects).toEqual([]);
    await stores.backups.remove(job?.id ?? "");
  }
});

test("a rehearsal that cannot be run says nothing about the backup", async () => {
  const person = await newPerson();
  await smallAccount(person);
  const { id } = await backUp(person);
  const run = (faults: Faults) =>
    rehearse(step, openBackupStores(withFaults(faults), person.userId), {
      scratch: env.SCRATCH.getByName(crypto.randomUUID()),
      jobId: id,
    });
  const calls = await countCalls(run);
  const stores = openBackupStores(env, person.userId);
  const verified = await stores.backups.get("backup", id);
  for (let at = 1; at <= calls; at++) {
    await expect(run(failingFrom(at))).rejects.toThrow(INJECTED);
    expect(await stores.backups.get("backup", id)).toMatchObject({
      state: "finished",
      verifiedAt: verified?.verifiedAt,
    });
  }
  for (let at = 1; at <= calls; at++) expect(await run(failingAt(at, "after"))).toBeNull();
});

test(
  "a restore goes on after any one call that fails, or whose answer gets lost",
  async () => {
    const { person, backup, before, change } = await changedAccount();
    const calls = await countCalls((faults) => restoreWith(person, backup, { faults }));
    expect(calls).toBeGreaterThan(60);
    for (const failing of ["before", "after"] as const) {
      // Every eleventh: a restore makes the same few kinds of calls table by table.
      for (let at = failing === "before" ? 1 : 4; at <= calls; at += 7) {
        await change();
        const job = await restoreWith(person, backup, { faults: failingAt(at, failing) });
        expect(job).toMatchObject({ state: "finished" });
        expect(withoutRestores(await rowsOf(person))).toEqual(before);
      }
    }
  },
  MANY_RUNS_MS,
);

test(
  "a restore whose step gives up is failed, and running it again finishes it",
  async () => {
    const { person, backup, before, change } = await changedAccount();
    const calls = await countCalls((faults) => restoreWith(person, backup, { faults }));
    for (let at = 3; at <= calls; at += 11) {
      await change();
      await expect(restoreWith(person, backup, { faults: failingFrom(at) })).rejects.toThrow(
        INJECTED,
      );
      const stores = openBackupStores(env, person.userId);
      expect(await stores.backups.newest("restore", ["running"])).toBeNull();
      expect(await restoreWith(person, backup, {})).toMatchObject({ state: "finished" });
      expect(withoutRestores(await rowsOf(person))).toEqual(before);
    }
  },
  MANY_RUNS_MS,
);

test("what is written while a backup is read makes it read again, and an account that never rests is kept as it was met", async () => {
  const person = await newPerson();
  await smallAccount(person);
  const stores = openBackupStores(env, person.userId);
  const names: string[] = [];
  const disturbed =
    (disturbances: number): Step =>
    async (name, work) => {
      names.push(name);
      if (
        name.startsWith("end") &&
        names.filter((one) => one.startsWith("end")).length <= disturbances
      ) {
        await save(person, { content: `Saved meanwhile ${crypto.randomUUID()}` });
      }
      return step(name, work);
    };
  for (const [disturbances, settled] of [
    [1, true],
    [9, false],
  ] as const) {
    names.length = 0;
    const { job } = await createBackup(stores.backups, MAKER, Date.now());
    await writeBackup(disturbed(disturbances), stores, job.id);
    const finished = await stores.backups.get("backup", job.id);
    const read = await stores.files.readManifest(job.id, finished?.sha256 ?? "");
    expect(read).toMatchObject({ manifest: { settled } });
    const scratch = env.SCRATCH.getByName(job.id);
    expect(await rehearse(step, stores, { scratch, jobId: job.id })).toBeNull();
  }
});

test("a backup in which rules or a batch of an earlier import came in between is read again", async () => {
  const person = await newPerson({ trusted: true });
  await smallAccount(person);
  const stores = openBackupStores(env, person.userId);
  let rules = 0;
  for (const change of [
    () => patchRules(person, { max_memories: 100 + rules++ }),
    // As every batch of an import after its first one does.
    () => env.DB.prepare(SQL_CHANGED).bind(person.userId).run(),
  ]) {
    const names: string[] = [];
    const { job } = await createBackup(stores.backups, MAKER, Date.now());
    const disturbed: Step = async (name, work) => {
      names.push(name);
      if (name === "end 1") await change();
      return step(name, work);
    };
    await writeBackup(disturbed, stores, job.id);
    expect(names).toContain("end 2");
    const finished = await stores.backups.get("backup", job.id);
    const read = await stores.files.readManifest(job.id, finished?.sha256 ?? "");
    expect(read).toMatchObject({ manifest: { settled: true } });
  }
});

test("a backup that was begun before a restore and ends during it is read as something that changes, and leaves what the restore needs", async () => {
  const person = await newPerson();
  await smallAccount(person);
  const before = await rowsOf(person);
  const stores = openBackupStores(env, person.userId);
  // By schedule: only the newest of a day is kept.
  const { job: source } = await createBackup(stores.backups, SCHEDULE, Date.now());
  await writeBackup(step, stores, source.id);
  await save(person, { content: "Came later" });
  const { job: running } = await createBackup(stores.backups, SCHEDULE, Date.now());
  const { id } = await createRestore(stores.backups, MAKER, {
    backupId: source.id,
    mode: "whole",
    mayChangeRules: true,
    now: Date.now(),
  });
  const clean = async () => {
    const now = Date.now();
    const spared = await backupsOfRestores(stores.backups, now);
    await removeOldBackups(stores, { now, spared });
  };
  const marks = new Set<string>();
  const disturbed: Step = async (name, work) => {
    if (/^(?:remove|insert|recount|account)/u.test(name)) {
      marks.add(JSON.stringify(await stores.backups.mark()));
    }
    if (name === "insert 0") {
      await writeBackup(step, stores, running.id);
      await clean();
    }
    return step(name, work);
  };
  const restores = openBackupRestore(env.DB, person.userId);
  await restoreBackup(disturbed, { ...stores, restores }, id);
  expect(await stores.backups.get("restore", id)).toMatchObject({ state: "finished" });
  expect(withoutRestores(await rowsOf(person))).toEqual(withoutRestores(before));
  expect(marks.size).toBeGreaterThan(3);
  // With the restore its source has had its day.
  await clean();
  expect(await stores.backups.get("backup", source.id)).toBeNull();
});

test("what an interrupted restore needs to be run again is there after later backups", async () => {
  const person = await newPerson();
  await smallAccount(person);
  const before = await rowsOf(person);
  const stores = openBackupStores(env, person.userId);
  const { job: source } = await createBackup(stores.backups, SCHEDULE, Date.now());
  await writeBackup(step, stores, source.id);
  await env.DB.prepare("DELETE FROM memories WHERE user_id = ?1").bind(person.userId).run();
  const calls = await countCalls((faults) => restoreWith(person, source.id, { faults }));
  await expect(restoreWith(person, source.id, { faults: failingFrom(calls - 20) })).rejects.toThrow(
    INJECTED,
  );
  const { job: later } = await createBackup(stores.backups, SCHEDULE, Date.now());
  await writeBackup(step, stores, later.id);
  const now = Date.now();
  await removeOldBackups(stores, { now, spared: await backupsOfRestores(stores.backups, now) });
  expect(await restoreWith(person, source.id, {})).toMatchObject({ state: "finished" });
  expect(withoutRestores(await rowsOf(person))).toEqual(withoutRestores(before));
});

test("a backup that is deleted after it fell silent leaves nothing when it goes on", async () => {
  const person = await newPerson();
  await smallAccount(person);
  const stores = openBackupStores(env, person.userId);
  const { job } = await createBackup(stores.backups, MAKER, Date.now());
  const silent: Step = async (name, work) => {
    const result = await step(name, work);
    if (name === "rows 1.0") {
      await stores.backups.touch(job.id, 1);
      expect(await removeBackup(stores, job.id, Date.now())).toBe(true);
    }
    return result;
  };
  await expect(writeBackup(silent, stores, job.id)).rejects.toThrow("The job is over");
  const { objects } = await env.ARCHIVES.list({ prefix: `backups/${person.userId}/${job.id}/` });
  expect(objects).toEqual([]);
});

test("no step asks for more than an invocation may on the free plan", async () => {
  const person = await newPerson();
  await fillWith(person, "plums");
  const faults = failingAt(0, "before");
  const asked = new Map<string, number>();
  const counted: Step = async (name, work) => {
    faults.asked = 0;
    const result = await work();
    asked.set(name, faults.asked);
    return result;
  };
  const faulty = withFaults(faults);
  const stores = openBackupStores(faulty, person.userId);
  const { job } = await createBackup(stores.backups, MAKER, Date.now());
  await writeBackup(counted, stores, job.id);
  await rehearse(counted, stores, { scratch: env.SCRATCH.getByName(job.id), jobId: job.id });
  await fillWith(person, "pears");
  await env.DB.prepare("DELETE FROM memories WHERE user_id = ?1").bind(person.userId).run();
  const restore = await createRestore(stores.backups, MAKER, {
    backupId: job.id,
    mode: "whole",
    mayChangeRules: true,
    now: Date.now(),
  });
  const restores = openBackupRestore(faulty.DB, person.userId);
  await restoreBackup(counted, { ...stores, restores }, restore.id);
  expect(Math.max(...asked.values())).toBeLessThanOrEqual(50);
  expect(asked.size).toBeGreaterThan(20);
});

test("a paid plan takes fewer steps, and a backup of more chunks than a Workflow's steps can restore is refused before anything changes", async () => {
  const { person, backup, before } = await changedAccount();
  const restores = openBackupRestore(env.DB, person.userId);
  const restoreIn = async (stepSize: number) => {
    const stores = openBackupStores(env, person.userId, stepSize);
    const names: string[] = [];
    const named: Step = (name, work) => {
      names.push(name);
      return step(name, work);
    };
    const { id } = await createRestore(stores.backups, MAKER, {
      backupId: backup,
      mode: "whole",
      mayChangeRules: true,
      now: Date.now(),
    });
    await restoreBackup(named, { ...stores, restores }, id);
    return { names, job: await stores.backups.get("restore", id) };
  };
  const changed = await rowsOf(person);
  const refused = await restoreIn(1 / 1_000);
  expect(refused.job).toMatchObject({
    state: "failed",
    counts: expect.stringContaining("too large"),
  });
  expect(await rowsOf(person)).toEqual(changed);
  const paid = await restoreIn(10);
  expect(paid.job).toMatchObject({ state: "finished" });
  expect(withoutRestores(await rowsOf(person))).toEqual(before);
  const free = await restoreIn(1);
  expect(free.job).toMatchObject({ state: "finished" });
  expect(paid.names.length).toBeLessThan(free.names.length);
});

async function smallAccount(person: Person): Promise<void> {
  const id = await save(person, { content: "Likes rye", tags: ["food"] });
  await callTool(person, "update_memory", { id, content: "Likes rye bread" });
  await callTool(person, "import_data", { items: [chat("chat", ["Which soil?", "Acid."])] });
}

/** An account, its backup, and a way to change it in all tables. */
async function changedAccount() {
  const person = await newPerson();
  await smallAccount(person);
  const before = withoutRestores(await rowsOf(person));
  const { id: backup } = await backUp(person);
  const statements = [
    "DELETE FROM memories WHERE user_id = ?1",
    "DELETE FROM labels WHERE user_id = ?1",
    "UPDATE messages SET position = position + 5 WHERE user_id = ?1",
    "UPDATE conversations SET message_count = 9 WHERE user_id = ?1",
  ];
  const change = async () => {
    await env.DB.batch(statements.map((one) => env.DB.prepare(one).bind(person.userId)));
    await save(person, { content: "Came later", tags: ["later"] });
  };
  await change();
  return { person, backup, before, change };
}

async function writeNew(person: Person, faults: Faults): Promise<string> {
  const { job } = await createBackup(
    openBackupStores(env, person.userId).backups,
    MAKER,
    Date.now(),
  );
  await writeBackup(step, openBackupStores(withFaults(faults), person.userId), job.id);
  return job.id;
}

async function restoreWith(
  person: Person,
  backupId: string,
  { faults = failingAt(0, "before"), mode = "whole" }: { faults?: Faults; mode?: RestoreMode },
) {
  const stores = openBackupStores(env, person.userId);
  const { id } = await createRestore(stores.backups, MAKER, {
    backupId,
    mode,
    mayChangeRules: true,
    now: Date.now(),
  });
  const faulty = withFaults(faults);
  await restoreBackup(
    step,
    {
      ...openBackupStores(faulty, person.userId),
      restores: openBackupRestore(faulty.DB, person.userId),
    },
    id,
  );
  return stores.backups.get("restore", id);
}

/** Rows and hashes by table, of a backup whose chunks are all as they were written. */
async function tablesOf(stores: BackupStores, id: string) {
  const job = await stores.backups.get("backup", id);
  const read = await stores.files.readManifest(id, job?.sha256 ?? null);
  if ("problem" in read) throw new Error(read.problem);
  for (const [index, chunk] of read.manifest.chunks.entries()) {
    expect(await stores.files.readChunk(id, index, chunk)).not.toHaveProperty("problem");
  }
  // The account's row says when the last backup was made.
  return read.manifest.tables.filter(({ name }) => name !== "accounts");
}

async function countCalls(run: (faults: Faults) => Promise<unknown>): Promise<number> {
  const faults = failingAt(0, "before");
  await run(faults);
  return faults.calls;
}

function failingAt(at: number, failing: "before" | "after"): Faults {
  return { calls: 0, asked: 0, failing: (call) => (call === at ? failing : null) };
}

/** As often as a step is tried. */
function failingFrom(at: number): Faults {
  return {
    calls: 0,
    asked: 0,
    failing: (call) => (call >= at && call < at + ATTEMPTS ? "before" : null),
  };
}

function withoutRestores(rows: Awaited<ReturnType<typeof rowsOf>>) {
  return (rows["operations"] ?? [])
    .filter(({ kind }) => kind === "restore")
    .map(({ id }) => String(id))
    .reduce(withoutOperation, rows);
}
