/** One call to D1 or R2 after the other fails, in an export of each format and in a restore. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { OpenAccount } from "../../src/storage/open-account.ts";
import { deflateChunk } from "../../src/transfer/archive-zip.ts";
import { archivePiece, ARCHIVE_START, type ArchiveCursor } from "../../src/transfer/archive.ts";
import {
  checkFiles,
  createExportJob,
  describeArchive,
  exportInline,
  finishExport,
  readExportFile,
  removeExpiredArchives,
  sumExport,
  type ExportPlan,
} from "../../src/transfer/export-job.ts";
import { EXPORT_PARTS, type TextPlan } from "../../src/transfer/export.ts";
import type { ExportFile } from "../../src/transfer/read.ts";
import { beginRestore, restoreArchive, restoreBatch } from "../../src/transfer/restore-archive.ts";
import { endImport, getImport } from "../../src/transfer/import-job.ts";
import { openUser } from "../../src/user.ts";
import { utf8 } from "../../src/vault/bytes.ts";
import { runExport } from "../../src/workflows/run-export.ts";
import { downloadArchive, linesOf, unzip } from "../support/archives.ts";
import { faultyEnv, withFaults, type Fault, type Faults } from "../support/faults.ts";
import { callApi, callTool, newPerson, type Person } from "../support/people.ts";

const NOW = Date.UTC(2026, 10, 20);
const CALLER = { grantId: "g", client: "Test", source: "api", trusted: true, now: NOW } as const;
const PLAN = { format: "cofio", startedAt: NOW } as const;
const TEXT_PLANS: readonly TextPlan[] = [
  { format: "json", include: EXPORT_PARTS, startedAt: NOW },
  { format: "markdown", include: EXPORT_PARTS, startedAt: NOW },
  { format: "pam", include: ["memories"], startedAt: NOW },
];
const PLANS: readonly ExportPlan[] = [PLAN, ...TEXT_PLANS];
/** By then every export has expired, and what was not finished is taken for lost. Jobs end by the machine's clock. */
const LATER = Date.UTC(2099, 0);
/** As many as the platform makes by default, without its waits. */
const ATTEMPTS = 5;
/** Exports that run side by side, to spare time. */
const AT_ONCE = 8;

async function smallAccount(): Promise<Person> {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", {
    content: "Likes tea.",
    tags: ["drinks"],
  });
  await callTool(person, "update_memory", { id: data["memory"].id, content: "Likes green tea." });
  await callTool(person, "import_data", {
    items: [
      {
        platform: "Chat",
        title: "Bees",
        messages: [
          { role: "user", content: "When do bees swarm?" },
          { role: "assistant", content: "In May." },
        ],
      },
    ],
  });
  return person;
}

async function open(userId: string, on: Env = env): Promise<OpenAccount> {
  const account = await openUser(on, userId);
  if (account === null) throw new Error("There is no such user");
  return account;
}

/** Steps are tried again as the platform does, and hold what survives a restart. Where one gives up the export fails. */
async function runSteps(
  userId: string,
  on: Env,
  plan: ExportPlan = PLAN,
  beforeStep: (name: string) => Promise<void> = async () => {},
): Promise<string> {
  const jobId = await createExportJob(await open(userId), plan, CALLER);
  await runExport(
    { userId, jobId, plan },
    async (name, work) => {
      await beforeStep(name);
      for (let attempts = 1; ; attempts++) {
        try {
          return structuredClone(await work());
        } catch (error) {
          if (attempts === ATTEMPTS) throw error;
        }
      }
    },
    () => open(userId, on),
  ).catch(() => {});
  return jobId;
}

async function downloaded(userId: string, jobId: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const account = await open(userId);
  const job = await account.jobs.get(jobId);
  const file = job === null ? null : await readExportFile(account, job);
  if (file === null) return null;
  return new Uint8Array(await new Blob(await Array.fromAsync(file.bytes)).arrayBuffer());
}

test("an archive says what it takes itself: what comes while it is written and what is in the trash of conversations is no part of it", async () => {
  const person = await newPerson();
  await callTool(person, "save_memory", { content: "Likes tea." });
  for (const title of ["Bread", "Wine"]) {
    const messages = [{ role: "user", content: `What of ${title}?` }];
    await callTool(person, "import_data", { items: [{ platform: "Chat", title, messages }] });
  }
  const { data } = await callTool(person, "list_conversations");
  await callApi(person, "DELETE", `/api/conversations/${data["conversations"][0].id}`);
  const { bytes } = (await callTool(person, "get_stats")).data;
  const jobId = await runSteps(person.userId, env, PLAN, async (name) => {
    if (name === "describe") await callTool(person, "save_memory", { content: "Likes rye." });
  });
  const files = await unzip(
    new Blob([(await downloaded(person.userId, jobId)) ?? new Uint8Array()]),
  );
  expect((await callTool(person, "get_stats")).data["bytes"]).toBeGreaterThan(bytes);
  expect(JSON.parse(files.get("manifest.json") ?? "").stored_bytes).toBe(bytes);
});

const FAULTS = ["refused", "lost"] as const satisfies readonly Fault[];

test.each(PLANS.flatMap((plan) => FAULTS.map((fault) => ({ plan, format: plan.format, fault }))))(
  "an export as $format of which any one call is $fault gives the same file",
  async ({ plan, fault }) => {
    const { userId } = await smallAccount();
    const sound = faultyEnv(Number.POSITIVE_INFINITY);
    const whole = await downloaded(userId, await runSteps(userId, sound.env, plan));
    if (plan.format === "cofio") {
      expect((await unzip(new Blob([whole ?? new Uint8Array()]))).size).toBe(9);
    } else {
      const inline = await exportInline(await open(userId), plan);
      expect(new TextDecoder().decode(whole ?? undefined)).toBe(inline?.text);
    }
    const calls = Array.from({ length: sound.calls() }, (_, index) => index + 1);
    for (let first = 0; first < calls.length; first += AT_ONCE) {
      const results = calls.slice(first, first + AT_ONCE).map(async (call) => {
        const jobId = await runSteps(userId, faultyEnv(call, { fault }).env, plan);
        expect([call, await downloaded(userId, jobId)]).toEqual([call, whole]);
      });
      await Promise.all(results);
    }
  },
  120_000,
);

test.each(
  TEXT_PLANS.flatMap((plan) => FAULTS.map((fault) => ({ plan, format: plan.format, fault }))),
)(
  "an export as $format that is given inline is whole or refused where any one call is $fault, and leaves nothing behind",
  async ({ plan, fault }) => {
    const { userId } = await smallAccount();
    const sound = faultyEnv(Number.POSITIVE_INFINITY);
    const whole = await exportInline(await open(userId, sound.env), plan);
    expect(whole?.text).toContain("Likes green tea.");
    for (let call = 1; call <= sound.calls(); call++) {
      const { env: faulty } = faultyEnv(call, { fault });
      const given = await attempt(async () => exportInline(await open(userId, faulty), plan));
      expect([call, given]).toEqual([call, null]);
    }
    expect(await exportInline(await open(userId), plan)).toEqual(whole);
    expect(await leftOf(userId)).toEqual([]);
  },
);

/** Keys of what an account's exports have in R2. */
async function leftOf(userId: string, jobId = ""): Promise<string[]> {
  const { objects } = await env.ARCHIVES.list({ prefix: `archives/${userId}/${jobId}` });
  return objects.map(({ key }) => key);
}

test.each(PLANS)(
  "an export as $format whose store stays away offers nothing, and what it wrote goes within days",
  async (plan) => {
    const { userId } = await smallAccount();
    const sound = faultyEnv(Number.POSITIVE_INFINITY);
    await runSteps(userId, sound.env, plan);
    await removeExpiredArchives(await open(userId), LATER);
    let left = 0;
    for (let call = 1; call < sound.calls() - 5; call += plan.format === "cofio" ? 3 : 1) {
      const jobId = await runSteps(userId, faultyEnv(call, { isLasting: true }).env, plan);
      const state = (await (await open(userId)).jobs.get(jobId))?.state;
      expect([call, state === "finished", await downloaded(userId, jobId)]).toEqual([
        call,
        false,
        null,
      ]);
      left += (await leftOf(userId, jobId)).length;
      while (await removeExpiredArchives(await open(userId), LATER));
      expect([call, await leftOf(userId)]).toEqual([call, []]);
    }
    expect(left).toBeGreaterThan(0);
  },
);

test("an export whose store was away too long says that it failed once it can, and takes back what it wrote", async () => {
  const { userId } = await smallAccount();
  // Five refusals of one step, and the store is back.
  const flaky = faultyEnv(Number.POSITIVE_INFINITY);
  let refusals = 0;
  const bucket = new Proxy(env.ARCHIVES, {
    get(target, key) {
      if (key !== "put" || refusals >= ATTEMPTS) return Reflect.get(target, key).bind(target);
      return async () => {
        refusals += 1;
        throw new Error("The bucket is away");
      };
    },
  });
  const jobId = await runSteps(userId, { ...flaky.env, ARCHIVES: bucket });
  expect((await (await open(userId)).jobs.get(jobId))?.state).toBe("failed");
  expect(await leftOf(userId, jobId)).toEqual([]);
});

test("an archive of many chunks is read back and hashed in steps that the free plan allows, each as often as it takes", async () => {
  const { userId } = await newPerson();
  const at = await open(userId);
  const jobId = await createExportJob(at, PLAN, CALLER);
  const lines = Array.from({ length: 130 }, (_, chunk) => `{"line":${chunk}}\n`);
  for (const [chunk, line] of lines.entries()) {
    await at.archives.writeChunk(jobId, chunk, deflateChunk(utf8(line)));
  }
  const files = [
    { name: "memories.jsonl", firstChunk: 0, chunks: 3 },
    { name: "empty.jsonl", firstChunk: 3, chunks: 0 },
    { name: "conversations.jsonl", firstChunk: 3, chunks: 127 },
  ];
  const progress = { cursor: null, files, chunk: lines.length, counts: {} };
  const faults: Faults = { calls: 0, asked: 0, failing: () => null };
  /** As one step, whose answer is lost the first time. */
  const step = async <T>(work: (on: OpenAccount) => Promise<T>): Promise<T> => {
    await work(at);
    faults.asked = 0;
    const result = await work(await open(userId, { ...env, ...withFaults(faults) }));
    expect(faults.asked).toBeLessThanOrEqual(50);
    return result;
  };
  let rounds = 1;
  while (await step((on) => checkFiles(on, { jobId, progress, round: rounds - 1 }))) rounds++;
  await step((on) => describeArchive(on, PLAN, { jobId, progress, rounds }));
  let sums = 1;
  while (await step((on) => sumExport(on, PLAN, { jobId, progress, round: sums - 1 }))) sums++;
  await step((on) => finishExport(on, PLAN, { jobId, progress, rounds: sums, now: NOW }));
  expect([rounds, sums]).toEqual([4, 4]);

  const zip = await downloaded(userId, jobId);
  const job = await at.jobs.get(jobId);
  expect(job).toMatchObject({
    state: "finished",
    sizeBytes: zip?.length,
    sha256: await hashOf(zip),
  });
  const read = await unzip(new Blob([zip ?? new Uint8Array()]));
  expect(read.get("conversations.jsonl")).toBe(lines.slice(3).join(""));
  const manifest = JSON.parse(read.get("manifest.json") ?? "");
  for (const { name, sha256 } of manifest.files) {
    expect(sha256).toBe(await hashOf(utf8(read.get(name) ?? "")));
  }
});

async function hashOf(bytes: Uint8Array<ArrayBuffer> | null): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes ?? new Uint8Array());
  return new Uint8Array(hash).toHex();
}

for (const fault of FAULTS) {
  test(`a restore of which any one call is ${fault} goes on when the archive is sent again`, async () => {
    const { files } = await downloadArchive(await smallAccount());
    const upload = filesOf(files);
    const calls = await countRestoreCalls(upload);
    for (let call = 1; call <= calls; call++) {
      const { userId } = await newPerson();
      const { env: faulty } = faultyEnv(call, { fault });
      const first = await attempt(async () =>
        restoreArchive(await open(userId, faulty), upload, CALLER),
      );
      // Where only the last answer was lost all is there, and sending it again merges it: nothing changes.
      if (first === null) await restoreArchive(await open(userId), upload, CALLER);
      expect([call, withoutRestore(await contentsOf(userId))]).toEqual([
        call,
        withoutRestore(files),
      ]);
    }
  }, 120_000);
}

async function countRestoreCalls(upload: readonly ExportFile[]): Promise<number> {
  const { userId } = await newPerson();
  const sound = faultyEnv(Number.POSITIVE_INFINITY);
  await restoreArchive(await open(userId, sound.env), upload, CALLER);
  return sound.calls();
}

async function attempt<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch {
    return null;
  }
}

function filesOf(files: ReadonlyMap<string, string>): ExportFile[] {
  return [...files].map(([name, bytes]) => ({ name, bytes }));
}

/** As an export would write them. */
async function contentsOf(userId: string): Promise<Map<string, string>> {
  const account = await open(userId);
  const contents = new Map<string, string>();
  for (let cursor: ArchiveCursor | null = ARCHIVE_START; cursor !== null;) {
    const { file, text, next } = await archivePiece(account, cursor);
    if (file !== null) contents.set(file, (contents.get(file) ?? "") + text);
    cursor = next;
  }
  return contents;
}

function withoutRestore(files: ReadonlyMap<string, string>) {
  const { "manifest.json": _, ...rest } = Object.fromEntries(files);
  return {
    ...rest,
    "operations.jsonl": linesOf(rest["operations.jsonl"]).filter(({ client }) => client !== "Test"),
  };
}

test("a batch sent twice changes nothing, and one out of order is refused", async () => {
  const { files } = await downloadArchive(await smallAccount());
  const { userId } = await newPerson();
  const account = await open(userId);
  const archive = {
    name: "a",
    manifestText: files.get("manifest.json") ?? "",
    totals: { memory: 1, conversation: 1, message: 3 },
  };
  const begun = await beginRestore(account, archive, CALLER);
  if (begun === null) throw new Error("An empty account takes an archive");
  const { id } = begun;
  const memories = linesOf(files.get("memories.jsonl"));
  const rest = ["conversations.jsonl", "operations.jsonl"].flatMap((name) =>
    linesOf(files.get(name)),
  );
  const first = { number: 1, lines: memories };
  const once = await restoreBatch(account, id, first, CALLER);
  expect(once.report.byKind.memory).toMatchObject({ found: 1, new: 1 });
  await expect(restoreBatch(account, id, { number: 3, lines: rest }, CALLER)).rejects.toMatchObject(
    { code: "invalid_input", details: { next_batch: 2 } },
  );
  expect((await restoreBatch(account, id, first, CALLER)).report).toEqual(once.report);
  // The same archive goes on with its job; another one finds the account in use.
  expect(await beginRestore(account, archive, CALLER)).toMatchObject({ id, nextBatch: 2 });
  const another = { ...archive, manifestText: "another" };
  expect(await beginRestore(account, another, CALLER)).toBeNull();
  const second = { number: 2, lines: [...rest, { type: "message", text: "?" }, null] };
  const twice = await restoreBatch(account, id, second, CALLER);
  expect(twice.report.byKind.message).toMatchObject({ found: 3, new: 2, skipped: 1 });
  expect((await restoreBatch(account, id, second, CALLER)).report).toEqual(twice.report);
  const ended = await endImport(account, id, "finished", CALLER.now);
  expect(ended).toMatchObject({ state: "finished", report: twice.report });
  expect(await getImport(account, id)).toEqual(ended);
  await expect(restoreBatch(account, id, second, CALLER)).rejects.toMatchObject({
    code: "not_found",
  });
  expect(withoutRestore(await contentsOf(userId))).toEqual({
    ...withoutRestore(files),
    "rules.json": files.get("rules.json"),
  });
  const row = await env.DB.prepare(
    "SELECT memories_active, conversations, messages FROM accounts WHERE user_id = ?",
  )
    .bind(userId)
    .first();
  expect(row).toEqual({ memories_active: 1, conversations: 1, messages: 2 });
  await expect(
    restoreBatch(account, "none", { number: 1, lines: [] }, CALLER),
  ).rejects.toMatchObject({ code: "not_found" });
});
