/**
 * One object per user, named by the user id: the allow list of grants and tokens, and the place where the user's requests run.
 * Everything else of it can be rebuilt; D1 is the record. Keys are opened per request and never kept.
 */
import { Agent } from "agents";
import { createMcpHandler } from "@modelcontextprotocol/server";
import type { Grant, GrantClaim, GrantLine, NewOAuthGrant, NewToken } from "./grants.ts";
import { createApi } from "./http/api.ts";
import { openChangeStreams } from "./mcp/change-streams.ts";
import { changedResources } from "./mcp/resources.ts";
import { createServer, toolSetOf } from "./mcp/server.ts";
import { isScope, SCOPES } from "./scopes.ts";
import { reportError } from "./log.ts";
import { changedMemories, operationsSince } from "./memory/changes.ts";
import { TRASH_DAYS } from "./memory/memory.ts";
import { emptyVocabulary, type Vocabulary } from "./search/vocabulary.ts";
import { openBackups } from "./storage/backups.ts";
import type { OneAtATime, OpenAccount, VocabularyOf } from "./storage/open-account.ts";
import { readPlan } from "./storage/plan.ts";
import { emptyTrash } from "./storage/trash.ts";
import { dueBackupWork, nextBackupTime, type BackupWork } from "./transfer/backup.ts";
import { removeExpiredArchives, type ExportPlan } from "./transfer/export-job.ts";
import type { LiveImport } from "./transfer/import-answer.ts";
import { keepIndex, needsUpkeep } from "./upkeep.ts";
import { openUser } from "./user.ts";
import { newJobId } from "./vault/ids.ts";

interface GrantRow extends Record<string, SqlStorageValue> {
  id: string;
  kind: "oauth" | "token";
  client: string;
  scopes: string;
  trusted: number;
  redirect_uri: string | null;
  created_at: number;
  used_at: number | null;
}

/** What the person's own pages are shown as it happens. */
interface LiveState {
  /** The latest, by job. */
  readonly imports: Readonly<Record<string, LiveImport>>;
}

/** Batches follow each other within a second. */
const FORGET_AFTER_MS = 10_000;
/** Enough for a page that was away for a while. Arbitrary. */
const SHOWN_IMPORTS = 5;
/** RFC 6455 §7.4.1. */
const POLICY_VIOLATION = 1008;

export class UserAgent extends Agent<Env, LiveState> {
  // The page behind the socket need not learn the user's id.
  static override options = { sendIdentityOnConnect: false };
  override initialState: LiveState = { imports: {} };

  readonly #changes = openChangeStreams();
  /** Operations that those who listen have been told of. */
  #told = new Set<string>();
  #lastImport: Promise<unknown> = Promise.resolve();
  /** A dictionary of plain words, in memory only and only while the batches of one import follow each other: it spares half of their work. */
  #vocabulary: { readonly jobId: string; readonly words: Vocabulary } | null = null;
  #forgetting: ReturnType<typeof setTimeout> | null = null;
  #isTrashPlanned = false;
  /** Saves looking for the plan on each request. */
  #nextBackupAt = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    // Not in onStart: a native RPC call does not wait for it.
    ctx.storage.sql.exec(`CREATE TABLE IF NOT EXISTS grants (
      id TEXT PRIMARY KEY, kind TEXT NOT NULL, client TEXT NOT NULL, client_id TEXT, redirect_uri TEXT,
      scopes TEXT NOT NULL, secret_hash TEXT UNIQUE, created_at INTEGER NOT NULL, used_at INTEGER)`);
    addTrusted(ctx.storage.sql);
  }

  /** A browser may listen to the state and never write it. */
  override shouldConnectionBeReadonly(): boolean {
    return true;
  }

  /** Nor does it say anything else: in place of the library's handler, which would read it, and log what it cannot read. */
  override webSocketMessage(socket: WebSocket): void {
    socket.close(POLICY_VIOLATION, "This socket only tells.");
  }

  async serveMcp(request: Request, claim: GrantClaim): Promise<Response> {
    const grant = this.#admit(claim);
    const account = grant === null ? null : await openUser(this.env, this.name, this.#lasting);
    if (grant === null || account === null) return unauthorized(this.env.PUBLIC_ORIGIN);
    await this.#planUpkeep(account);
    await this.#planBackup();
    const context = {
      account,
      caller: {
        grantId: grant.id,
        client: grant.client,
        source: "mcp" as const,
        trusted: grant.trusted,
        now: Date.now(),
      },
      publicOrigin: this.env.PUBLIC_ORIGIN,
      scopes: grant.scopes,
      startExport: (jobId: string, plan: ExportPlan) => this.#startExport(jobId, plan),
      tellChanges: () => this.#tellChanges(account),
    };
    const toolSet = toolSetOf(request);
    const handler = createMcpHandler(({ era }) => createServer(context, { toolSet, era }), {
      bus: this.#changes.busFor(grant.id, () => void handler.close()),
      maxSubscriptions: this.#changes.room(),
      keepAliveMs: KEEP_ALIVE_MS,
    });
    return handler.fetch(request, {
      authInfo: {
        // The handler needs no token, and what it does not have it cannot log.
        token: "",
        clientId: grant.id,
        scopes: [...grant.scopes],
        resourceMetadataUrl: resourceMetadataUrl(this.env.PUBLIC_ORIGIN),
      },
    });
  }

  /** `claim` null: the person themself, with a session that the Worker has verified. */
  async serveApi(request: Request, claim: GrantClaim | null): Promise<Response> {
    const grant = claim === null ? DASHBOARD : this.#admit(claim);
    const account = grant === null ? null : await openUser(this.env, this.name, this.#lasting);
    if (grant === null || account === null) return unauthorized(this.env.PUBLIC_ORIGIN);
    await this.#planUpkeep(account);
    await this.#planBackup();
    return createApi({
      account,
      caller: {
        grantId: grant.id,
        client: grant.client,
        source: claim === null ? "dashboard" : "api",
        trusted: grant.trusted,
        now: Date.now(),
      },
      publicOrigin: this.env.PUBLIC_ORIGIN,
      scopes: grant.scopes,
      showImport: (jobId, standing) => this.#showImport(jobId, standing),
      startBackup: (work) => this.#startBackup(work),
      startExport: (jobId, plan) => this.#startExport(jobId, plan),
      tellChanges: () => this.#tellChanges(account),
    }).fetch(request);
  }

  /** Costs nothing while nobody listens. */
  async #tellChanges(account: OpenAccount): Promise<void> {
    const since = this.#changes.listeningSince();
    if (since === null) return this.#told.clear();
    try {
      // An operation has the time at which its request began, which may be before somebody listened.
      const operations = await operationsSince(account, since - LONGEST_REQUEST_MS);
      const fresh = operations.filter(({ id }) => !this.#told.has(id));
      if (fresh.length === 0) return;
      const ids = await changedMemories(account, fresh);
      // An import goes on under its one operation.
      for (const { id, kind } of fresh) if (kind !== "import") this.#told.add(id);
      this.#changes.resourcesChanged(changedResources(ids));
    } catch (error) {
      // Whoever made the change has its answer; who listens reads again some time.
      reportError("tellChanges", error);
    }
  }

  #showImport(jobId: string, standing: LiveImport): void {
    const others = Object.entries(this.state.imports).filter(([id]) => id !== jobId);
    const latest = others
      .sort(([, a], [, b]) => b.updatedAt - a.updatedAt)
      .slice(0, SHOWN_IMPORTS - 1);
    this.setState({ imports: Object.fromEntries([[jobId, standing], ...latest]) });
  }

  /** A scheduled call. What another request does meanwhile is safe: rows are replaced only as they were read. */
  async upkeep(): Promise<void> {
    await this.#runScheduled("upkeep", UPKEEP_RETRY_SECONDS, async () => {
      const account = await openUser(this.env, this.name);
      return account === null || (await keepIndex(this.env.DB, account)) ? null : 1;
    });
  }

  /** A scheduled call: purges what was in the trash, or could be downloaded, for its time, and goes on while there is something of either. */
  async emptyTrash(): Promise<void> {
    this.#isTrashPlanned = false;
    await this.#runScheduled("emptyTrash", DAY_SECONDS, async () => {
      const now = Date.now();
      const before = now - TRASH_DAYS * DAY_SECONDS * 1_000;
      const { trashPart } = readPlan(this.env.PLAN);
      const { isDue, isWaiting } = await this.#lasting.oneAtATime(() =>
        emptyTrash(this.env.DB, this.name, { before, now, part: trashPart }),
      );
      const account = await openUser(this.env, this.name);
      const isKept = account !== null && (await removeExpiredArchives(account, now));
      // A request that came meanwhile may have met this call in the schedule, which is leaving it now.
      this.#isTrashPlanned = isDue || isWaiting || isKept;
      if (isDue) return NEXT_PART_SECONDS;
      return isWaiting || isKept ? DAY_SECONDS : null;
    });
  }

  /**
   * Plans the call again before it begins, because the library drops one that failed, and catches what fails, because the library would
   * print its message: Drizzle's hold every parameter.
   * @param work when it is to come again in fact, in seconds or at a time; null: no more
   */
  async #runScheduled(
    callback: "upkeep" | "emptyTrash" | "backUp",
    again: number | Date,
    work: () => Promise<number | Date | null>,
  ): Promise<void> {
    const later = await this.listSchedules({
      timeRange: { start: new Date(Date.now() + 1_000) },
    });
    // One that was interrupted, or a request of the same moment, planned it already.
    const planned =
      later.find((one) => one.callback === callback) ?? (await this.schedule(again, callback));
    try {
      const next = await work();
      if (next === again) return;
      await this.cancelSchedule(planned.id);
      if (next !== null) await this.schedule(next, callback);
    } catch (error) {
      reportError(`scheduled ${callback}`, error);
    }
  }

  async #planUpkeep(account: OpenAccount): Promise<void> {
    if (needsUpkeep(account)) await this.schedule(1, "upkeep", undefined, { idempotent: true });
    // Whatever is in the trash by now: this request may put something there.
    if (!this.#isTrashPlanned) {
      await this.schedule(DAY_SECONDS, "emptyTrash", undefined, { idempotent: true });
      this.#isTrashPlanned = true;
    }
  }

  /** A scheduled call, in the night after a request, and once more in the night after work: it may have failed, and then is due again. */
  async backUp(): Promise<void> {
    const now = Date.now();
    const nextNight = new Date(nextBackupTime(now, this.name));
    await this.#runScheduled("backUp", nextNight, async () => {
      const work = await dueBackupWork(openBackups(this.env.DB, this.name), {
        now,
        rehearsedRows: Number(this.env.REHEARSED_ROWS),
      });
      if (work !== null) await this.#startBackup(work);
      // A request that came meanwhile may have met what is cancelled now.
      this.#nextBackupAt = 0;
      return work === null ? null : nextNight;
    });
  }

  async #planBackup(): Promise<void> {
    const now = Date.now();
    if (now < this.#nextBackupAt) return;
    const next = nextBackupTime(now, this.name);
    await this.schedule(new Date(next), "backUp", undefined, { idempotent: true });
    this.#nextBackupAt = next;
  }

  async #startExport(jobId: string, plan: ExportPlan): Promise<void> {
    await this.env.EXPORTS.create({ id: jobId, params: { userId: this.name, jobId, plan } });
  }

  async #startBackup(work: BackupWork): Promise<void> {
    await this.env.BACKUPS.create({ id: newJobId(), params: { userId: this.name, work } });
  }

  /** Earlier grants of the same client end, as they do in the OAuth library. */
  async allowGrant(grant: NewOAuthGrant): Promise<void> {
    // Clients that are known by a metadata document share its address, so there the redirect address tells installations apart.
    const byAddress = grant.clientId.startsWith("https://");
    const ended = this.ctx.storage.sql.exec<{ id: string }>(
      `DELETE FROM grants WHERE client_id = ? AND (NOT ? OR redirect_uri = ?) RETURNING id`,
      grant.clientId,
      byAddress ? 1 : 0,
      grant.redirectUri,
    );
    for (const { id } of ended.toArray()) this.#changes.endOf(id);
    this.ctx.storage.sql.exec(
      `INSERT INTO grants (id, kind, client, client_id, redirect_uri, scopes, created_at) VALUES (?, 'oauth', ?, ?, ?, ?, ?)`,
      grant.id,
      grant.client,
      grant.clientId,
      grant.redirectUri,
      JSON.stringify(grant.scopes),
      Date.now(),
    );
  }

  async allowToken(token: NewToken): Promise<void> {
    this.ctx.storage.sql.exec(
      `INSERT INTO grants (id, kind, client, scopes, secret_hash, trusted, created_at) VALUES (?, 'token', ?, ?, ?, ?, ?)`,
      token.id,
      token.client,
      JSON.stringify(token.scopes),
      token.secretHash,
      token.trusted === true ? 1 : 0,
      Date.now(),
    );
  }

  /** Newest first. */
  async listGrants(): Promise<GrantLine[]> {
    return this.ctx.storage.sql
      .exec<GrantRow>("SELECT * FROM grants ORDER BY created_at DESC, id LIMIT 500")
      .toArray()
      .map((row) => ({
        ...grantOf(row),
        redirectUri: row.redirect_uri,
        createdAt: row.created_at,
        usedAt: row.used_at,
      }));
  }

  /** From now on every call under it is refused. False: there was none of this id. */
  async revokeGrant(id: string): Promise<boolean> {
    this.#changes.endOf(id);
    return this.ctx.storage.sql.exec("DELETE FROM grants WHERE id = ?", id).rowsWritten > 0;
  }

  readonly #lasting: { readonly oneAtATime: OneAtATime; readonly vocabularyOf: VocabularyOf } = {
    oneAtATime: (work) => {
      const run = this.#lastImport.then(work);
      // The next one waits for the end, whatever it was.
      this.#lastImport = run.catch(() => {});
      return run;
    },
    vocabularyOf: (jobId) => {
      if (this.#vocabulary?.jobId !== jobId) this.#vocabulary = { jobId, words: emptyVocabulary() };
      if (this.#forgetting !== null) clearTimeout(this.#forgetting);
      this.#forgetting = setTimeout(() => (this.#vocabulary = null), FORGET_AFTER_MS);
      return this.#vocabulary.words;
    },
  };

  /** Null: unknown, therefore revoked or never given. */
  #admit(claim: GrantClaim): Grant | null {
    const now = Date.now();
    const [row] =
      claim.kind === "oauth"
        ? this.ctx.storage.sql
            .exec<GrantRow>(
              "UPDATE grants SET used_at = ? WHERE id = ? AND kind = 'oauth' RETURNING *",
              now,
              claim.grantId,
            )
            .toArray()
        : this.ctx.storage.sql
            .exec<GrantRow>(
              "UPDATE grants SET used_at = ? WHERE secret_hash = ? RETURNING *",
              now,
              claim.secretHash,
            )
            .toArray();
    if (row === undefined) return null;
    const grant = grantOf(row);
    return claim.kind === "token"
      ? grant
      : { ...grant, scopes: grant.scopes.filter((scope) => claim.scopes.includes(scope)) };
  }
}

const DAY_SECONDS = 86_400;
/** Writing is how a stream that its client left is noticed, and makes room for the next. */
const KEEP_ALIVE_MS = 5_000;
/** Arbitrary: told twice does no harm. */
const LONGEST_REQUEST_MS = 60_000;
/** Arbitrary. */
const UPKEEP_RETRY_SECONDS = 3_600;
/** Between two parts of a large trash: nobody waits, and the day's writes are for those who do (`storage/plan.ts`). */
const NEXT_PART_SECONDS = 3_600;

/** The person's own session: no grant, every right. */
const DASHBOARD: Grant = {
  id: "dashboard",
  kind: "token",
  client: "Dashboard",
  scopes: SCOPES,
  trusted: true,
};

/** Objects that were made before there were trusted tokens have a table without the column. Nothing in it was trusted. */
function addTrusted(sql: SqlStorage): void {
  const columns = sql.exec<{ name: string }>("SELECT name FROM pragma_table_info('grants')");
  if (columns.toArray().some(({ name }) => name === "trusted")) return;
  sql.exec("ALTER TABLE grants ADD COLUMN trusted INTEGER NOT NULL DEFAULT 0");
}

function grantOf(row: GrantRow): Grant {
  const scopes: unknown = JSON.parse(row.scopes);
  return {
    id: row.id,
    kind: row.kind,
    client: row.client,
    scopes: Array.isArray(scopes) ? scopes.filter((scope) => isScope(scope)) : [],
    trusted: row.kind === "token" && row.trusted === 1,
  };
}

function resourceMetadataUrl(publicOrigin: string): string {
  return `${publicOrigin}/.well-known/oauth-protected-resource/mcp`;
}

/** The same challenge as the OAuth library's, so that clients sign in again. */
function unauthorized(publicOrigin: string): Response {
  const description = "This access was revoked or never given. Connect again.";
  return Response.json(
    { error: "invalid_token", error_description: description },
    {
      status: 401,
      headers: {
        "WWW-Authenticate": `Bearer realm="OAuth", resource_metadata="${resourceMetadataUrl(publicOrigin)}", error="invalid_token", error_description="${description}"`,
      },
    },
  );
}
