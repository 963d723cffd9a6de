/**
 * Workflows that the user's object has started and not yet seen end, in its storage. Where the start itself was cut off it is made up for;
 * and what a local server was at when its process ended goes on: Cloudflare does that by itself, the engine that plays its part here waits
 * for an event.
 */
import { reportError } from "./log.ts";
import type { JobStore } from "./storage/jobs.ts";
import { stateOf } from "./transfer/backup.ts";

type Binding = "EXPORTS" | "BACKUPS";
type ParamsOf<Name extends Binding> = NonNullable<
  NonNullable<Parameters<Env[Name]["create"]>[0]>["params"]
>;

interface StartedRow extends Record<string, SqlStorageValue> {
  id: string;
  binding: Binding;
  job_id: string;
  /** JSON. Ids and names only. */
  params: string;
  started_at: number;
}

/** The free plan remembers for three days one that has ended: what is not known before that never began. */
const DAY_MS = 86_400_000;
/** At a time; two questions each. Arbitrary. */
const MOST_WOKEN = 10;
const OVER: ReadonlySet<InstanceStatus["status"]> = new Set(["complete", "errored", "terminated"]);
/** Nobody waits for it. */
const GO_ON = { type: "go-on", payload: null };

export type StartedWorkflows = ReturnType<typeof openStartedWorkflows>;

export function openStartedWorkflows(sql: SqlStorage, env: Pick<Env, Binding>) {
  sql.exec(
    "CREATE TABLE IF NOT EXISTS started_workflows (id TEXT PRIMARY KEY, binding TEXT NOT NULL, job_id TEXT NOT NULL, params TEXT NOT NULL, started_at INTEGER NOT NULL)",
  );
  /** Ids of those that are being started now. */
  const starting = new Set<string>();
  let isWoken = false;

  async function wake(row: StartedRow, jobs: JobStore, now: number): Promise<void> {
    const { id, binding } = row;
    const workflow: Workflow = env[binding];
    const instance = await findInstance(workflow, id);
    const isOver = instance !== null && OVER.has((await instance.status()).status);
    const isAwaited = !isOver && (await isStillAwaited(row, jobs, now));
    if (!isAwaited) forget(id);
    else if (instance !== null) await instance.sendEvent(GO_ON);
    else if (now - row.started_at < DAY_MS) await create(workflow, id, JSON.parse(row.params));
    else forget(id);
  }

  function forget(id: string): void {
    sql.exec("DELETE FROM started_workflows WHERE id = ?", id);
  }

  return {
    /**
     * @param record writes the job down, and says whether there is one to do. Cut off by the end of the process, the start is made up for by
     * `wake`; what failed and was told so is not begun later.
     */
    async start<Name extends Binding, Recorded extends { readonly isNew: boolean }>(
      binding: Name,
      { id, jobId, params, now }: Start<Name>,
      record: () => Promise<Recorded>,
    ): Promise<Recorded> {
      const json = JSON.stringify(params);
      starting.add(id);
      sql.exec(
        "INSERT INTO started_workflows VALUES (?, ?, ?, ?, ?)",
        id,
        binding,
        jobId,
        json,
        now,
      );
      try {
        const recorded = await record();
        if (recorded.isNew) await create(env[binding], id, params);
        else forget(id);
        return recorded;
      } catch (error) {
        forget(id);
        throw error;
      } finally {
        starting.delete(id);
      }
    },

    /** Once in an object's life: whatever was under way before it goes on. */
    async wake(jobs: JobStore, now: number): Promise<void> {
      if (isWoken) return;
      isWoken = true;
      const rows = sql
        .exec<StartedRow>(
          "SELECT * FROM started_workflows ORDER BY started_at DESC LIMIT ?",
          MOST_WOKEN,
        )
        .toArray();
      for (const row of rows.filter(({ id }) => !starting.has(id))) {
        try {
          await wake(row, jobs, now);
        } catch (error) {
          reportError("wake workflow", error);
        }
      }
    },
  };
}

/** Of a backup or a restore that fell silent the person was told that it failed, and may have gone on since. */
async function isStillAwaited(
  { binding, job_id }: StartedRow,
  jobs: JobStore,
  now: number,
): Promise<boolean> {
  const job = await jobs.get(job_id);
  if (job === null) return false;
  // A finished backup may be one that is rehearsed.
  if (binding === "BACKUPS") return job.state === "finished" || stateOf(job, now) === "running";
  return job.state === "created" || job.state === "running";
}

/** One that is there already is begun. */
async function create(workflow: Workflow, id: string, params: unknown): Promise<void> {
  try {
    await workflow.create({ id, params });
  } catch (error) {
    if ((await findInstance(workflow, id)) === null) throw error;
  }
}

interface Start<Name extends Binding> {
  readonly id: string;
  /** Of the row in `jobs`. */
  readonly jobId: string;
  readonly params: ParamsOf<Name>;
  readonly now: number;
}

async function findInstance(workflow: Workflow, id: string): Promise<WorkflowInstance | null> {
  try {
    return await workflow.get(id);
  } catch (error) {
    // The platform has no other way to say so.
    if (error instanceof Error && error.message.includes("instance.not_found")) return null;
    throw error;
  }
}
