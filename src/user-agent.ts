/**
 * One object per user, named by the user id: the allow list of grants and tokens, and the place where the user's requests run.
 * Everything else of it can be rebuilt; D1 is the record. Keys are opened per request and never kept.
 */
import { Agent } from "agents";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { openAccountDeletion, type AccountDeletion, type Deletion } from "./account-deletion.ts";
import { openAllowList, type AllowList } from "./allow-list.ts";
import { UserError } from "./errors.ts";
import type {
  Grant,
  GrantChange,
  GrantClaim,
  GrantLine,
  NewOAuthGrant,
  NewToken,
} from "./grants.ts";
import { watched, withStep, type Handshake, type HandshakeStep } from "./handshake.ts";
import { createApi, createRefusingApi, type StartBackup } from "./http/api.ts";
import { readingOnly } from "./http/require-scope.ts";
import { refuseUnauthorized } from "./http/unauthorized.ts";
import { openChangeStreams } from "./mcp/change-streams.ts";
import { refuseCall } from "./mcp/refuse-call.ts";
import { changedResources } from "./mcp/resources.ts";
import { createRefusingServer, createServer, toolSetOf } from "./mcp/server.ts";
import type { StartExport } from "./mcp/tool.ts";
import { openKeptTallies } from "./kept-tallies.ts";
import { logProblem, reportError } from "./log.ts";
import { openPace } from "./pace.ts";
import { accountClosing, paused, tooFast } from "./refusals.ts";
import { SCOPES } from "./scopes.ts";
import { checkPart, hasUnchecked, isCheckDue, readCheck, sumOf } from "./integrity/check.ts";
import { operationsSince } from "./memory/changes.ts";
import { TRASH_DAYS } from "./memory/memory.ts";
import { emptyVocabulary, type Vocabulary } from "./search/vocabulary.ts";
import { openStartedWorkflows, type StartedWorkflows } from "./started-workflows.ts";
import { openBackups } from "./storage/backups.ts";
import {
  closeAccount,
  deleteFiles,
  deleteOAuthGrants,
  deleteRows,
} from "./storage/delete-account.ts";
import type { Lasting, OpenAccount } from "./storage/open-account.ts";
import { readLimits } from "./storage/limits.ts";
import { readPlan } from "./storage/plan.ts";
import { emptyTrash } from "./storage/trash.ts";
import { dueBackupWork, nextBackupTime } from "./transfer/backup.ts";
import { removeExpiredArchives } from "./transfer/export-job.ts";
import type { LiveImport } from "./transfer/import-answer.ts";
import { keepIndex, needsUpkeep } from "./upkeep.ts";
import { openUser } from "./user.ts";
import { newJobId } from "./vault/ids.ts";

type ScheduledCall = "upkeep" | "emptyTrash" | "backUp" | "checkIntegrity" | "deleteAccount";

/** What the person's own pages are shown as it happens. */
interface LiveState {
  /** The latest, by job. */
  readonly imports: Readonly<Record<string, LiveImport>>;
  /** Of clients that connected while somebody watched. */
  readonly handshake?: Handshake;
}

/** Batches follow each other within a second. */
const FORGET_AFTER_MS = 10_000;
/** Enough for a page that was away for a while. Arbitrary. */
const SHOWN_IMPORTS = 5;
/** RFC 6455 §7.4.1. */
const POLICY_VIOLATION = 1008;
/** IANA's registry of close codes: "try again later". */
const TRY_AGAIN = 1013;

export class UserAgent extends Agent<Env, LiveState> {
  // The page behind the socket need not learn the user's id.
  static override options = { sendIdentityOnConnect: false };
  override initialState: LiveState = { imports: {} };

  readonly #grants: AllowList;
  readonly #deletion: AccountDeletion;
  readonly #workflows: StartedWorkflows;
  readonly #pace = openPace();
  readonly #changes = openChangeStreams();
  /** What those who listen have been told of: by operation, what it had done by then. An import goes on under one. */
  readonly #told = new Map<string, string>();
  /** The latest that the person's open pages have been told of. */
  #shownChanges = "";
  #lastImport: Promise<unknown> = Promise.resolve();
  /** A dictionary of plain words, in memory only and only while the batches of one import follow each other: it spares half of their work. */
  #vocabulary: { readonly jobId: string; readonly words: Vocabulary } | null = null;
  #forgetting: ReturnType<typeof setTimeout> | null = null;
  #isTrashPlanned = false;
  /** Saves looking for the plan on each request. */
  #nextNightAt = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    // Not in onStart: a native RPC call does not wait for it.
    this.#grants = openAllowList(ctx.storage.sql);
    this.#deletion = openAccountDeletion(ctx.storage.sql);
    this.#workflows = openStartedWorkflows(ctx.storage.sql, env);
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
    const grant = this.#grants.admit(claim, Date.now());
    if (grant === null) return unauthorized(this.env.PUBLIC_ORIGIN);
    const hasty = this.#paceRefusal(grant.id);
    if (hasty !== null) return refuseCall(hasty);
    const toolSet = toolSetOf(request);
    const account = this.#refusalOf(grant) ?? (await this.#openOrRefuse());
    if (account instanceof UserError) {
      return createMcpHandler(() => createRefusingServer(account, toolSet)).fetch(request);
    }
    if (account === null) return unauthorized(this.env.PUBLIC_ORIGIN);
    this.ctx.waitUntil(this.#workflows.wake(account.jobs, Date.now()));
    await this.#planUpkeep(account);
    await this.#planNight();
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
      startExport: this.#startExport,
      tellChanges: () => this.#tellChanges(account),
    };
    let calls = 0;
    const options = {
      toolSet,
      isReadOnly: grant.state === "read_only",
      countCall: () => {
        calls += 1;
        // The first was let in with its request; in the older protocol others may come along.
        const refusal = calls === 1 ? null : this.#paceRefusal(grant.id);
        if (refusal !== null) return refusal;
        this.#grants.countCall(grant.id, Date.now());
        void this.noteHandshake("first_call", grant.client);
        return null;
      },
    };
    await this.noteHandshake("reached", grant.client);
    const handler = createMcpHandler(({ era }) => createServer(context, { ...options, era }), {
      bus: this.#changes.busFor(grant.id, {
        isLetIn: () => this.#isLetIn(grant),
        end: () => void handler.close(),
      }),
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
    const refuse = () => refuseUnauthorized(request, REVOKED, challengeOf(this.env.PUBLIC_ORIGIN));
    const grant = claim === null ? DASHBOARD : this.#grants.admit(claim, Date.now());
    if (grant === null) return refuse();
    const hasty = this.#paceRefusal(grant.id, { isPerson: claim === null });
    if (hasty !== null) return createRefusingApi(hasty).fetch(request);
    if (claim !== null) {
      const refusal = this.#refusalOf(grant);
      if (refusal !== null) return createRefusingApi(refusal).fetch(request);
      this.#grants.countCall(grant.id, Date.now());
    }
    const account = await this.#openOrRefuse();
    if (account instanceof UserError) return createRefusingApi(account).fetch(request);
    if (account === null) return refuse();
    this.ctx.waitUntil(this.#workflows.wake(account.jobs, Date.now()));
    await this.#planUpkeep(account);
    await this.#planNight();
    const isReadOnly = grant.state === "read_only";
    return createApi({
      account,
      caller: {
        grantId: grant.id,
        client: grant.client,
        source: claim === null ? "dashboard" : "api",
        trusted: grant.trusted && !isReadOnly,
        now: Date.now(),
      },
      publicOrigin: this.env.PUBLIC_ORIGIN,
      scopes: isReadOnly ? readingOnly(grant.scopes) : grant.scopes,
      isReadOnly,
      showImport: (jobId, standing) => this.#showImport(jobId, standing),
      startBackup: this.#startBackup,
      startExport: this.#startExport,
      tellChanges: () => this.#tellChanges(account),
    }).fetch(request);
  }

  /** A refusal: the server's `VAULT_KEY` opens this account no more. */
  async #openOrRefuse(): Promise<OpenAccount | UserError | null> {
    try {
      return await openUser(this.env, this.name, this.#lasting);
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
  }

  /** Costs nothing while nobody listens. */
  async #tellChanges(account: OpenAccount): Promise<void> {
    await this.#tellPages(account);
    const since = this.#changes.listeningSince();
    if (since === null) return this.#told.clear();
    try {
      // An operation has the time at which its request began, which may be before somebody listened.
      const operations = await operationsSince(account, since - LONGEST_REQUEST_MS);
      const fresh = operations.filter(({ id, counts }) => this.#told.get(id) !== counts);
      if (fresh.length === 0) return;
      const ids = await account.operations.changedMemories(fresh.map(({ id }) => id));
      for (const { id, counts } of fresh) this.#told.set(id, counts);
      this.#changes.resourcesChanged(changedResources(ids));
    } catch (error) {
      // Whoever made the change has its answer; who listens reads again some time.
      reportError("tellChanges", error);
    }
  }

  /** That something was changed, and not what: an open page reads again. A search by POST changes nothing. */
  async #tellPages(account: OpenAccount): Promise<void> {
    if (this.ctx.getWebSockets().length === 0) return;
    try {
      const [latest, { changes }] = await Promise.all([
        account.operations.list(null, LATEST_OPERATIONS),
        account.backups.mark(),
      ]);
      // Rules and an emptied trash are no operations, and counted as changes.
      const shown = [changes, ...latest.map(({ id }) => id)].join();
      if (shown === this.#shownChanges) return;
      this.#shownChanges = shown;
      this.broadcast(CHANGED);
    } catch (error) {
      reportError("tellPages", error);
    }
  }

  #showImport(jobId: string, standing: LiveImport): void {
    const others = Object.entries(this.state.imports).filter(([id]) => id !== jobId);
    const latest = others
      .sort(([, a], [, b]) => b.updatedAt - a.updatedAt)
      .slice(0, SHOWN_IMPORTS - 1);
    this.setState({
      ...this.state,
      imports: Object.fromEntries([[jobId, standing], ...latest]),
    });
  }

  /** A page is open that shows it. @param isAnew from the beginning, whatever was seen */
  async watchHandshake({ isAnew = false } = {}): Promise<Handshake> {
    const handshake = watched(isAnew ? undefined : this.state.handshake, Date.now());
    this.setState({ ...this.state, handshake });
    return handshake;
  }

  /** Costs nothing while nobody watches. */
  async noteHandshake(step: HandshakeStep, client: string | null): Promise<void> {
    const handshake = withStep(this.state.handshake, { step, client, now: Date.now() });
    if (handshake !== null) this.setState({ ...this.state, handshake });
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
      const { isPurged, isDue, isWaiting } = await this.#lasting.oneAtATime(() =>
        emptyTrash(this.env.DB, this.name, { before, now, part: trashPart }),
      );
      // Nobody need come by for what the night does about a change.
      if (isPurged) await this.#planNight();
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
    callback: ScheduledCall,
    again: number | Date,
    work: () => Promise<number | Date | null>,
  ): Promise<void> {
    // One that was interrupted, or a request of the same moment, planned it already.
    const planned = (await this.#plannedLater(callback)) ?? (await this.schedule(again, callback));
    try {
      // What keeps an account in order ends where the account does.
      const isClosed = callback !== "deleteAccount" && this.#deletion.find()?.isBegun === true;
      const next = isClosed ? null : await work();
      if (next === again) return;
      await this.cancelSchedule(planned.id);
      if (next !== null) await this.schedule(next, callback);
    } catch (error) {
      reportError(`scheduled ${callback}`, error);
    }
  }

  /** A call that is still to come: one that is at work stands in the schedule until it has ended. */
  async #plannedLater(callback: ScheduledCall) {
    const later = await this.listSchedules({ timeRange: { start: new Date(Date.now() + 1_000) } });
    return later.find((one) => one.callback === callback);
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
      if (work !== null) await this.#startBackup(work, async () => ({ isNew: true }));
      // A request that came meanwhile may have met what is cancelled now.
      this.#nextNightAt = 0;
      return work === null ? null : nextNight;
    });
  }

  /**
   * A scheduled call, in the same night: goes on in parts until all rows were looked at, where something changed since they were. It comes
   * again each night while there is what it has not seen, as after a repair, or where the plan lets nights pass; else it is planned anew.
   */
  async checkIntegrity(): Promise<void> {
    const now = Date.now();
    const nextNight = new Date(nextBackupTime(now, this.name));
    await this.#runScheduled("checkIntegrity", nextNight, async () => {
      const account = await openUser(this.env, this.name);
      if (account === null) return null;
      const { plan } = account;
      const last = readCheck(account.row.integrity);
      const isChanged = await hasUnchecked(account, last);
      // As for a backup.
      this.#nextNightAt = 0;
      if (!isCheckDue(last, { now, isChanged, plan })) return isChanged ? nextNight : null;
      const check = await checkPart(account, now);
      if (check.finishedAt === null) return NEXT_CHECK_SECONDS;
      if (sumOf(check.left) > 0) {
        logProblem("integrity check", `left unrepaired: ${JSON.stringify(check.left)}`);
      }
      return (await hasUnchecked(account, check)) ? nextNight : null;
    });
  }

  /** A backup and a check in the coming night, each of which finds out whether there is anything to do. */
  async #planNight(): Promise<void> {
    const now = Date.now();
    if (now < this.#nextNightAt) return;
    const next = nextBackupTime(now, this.name);
    await this.schedule(new Date(next), "backUp", undefined, { idempotent: true });
    await this.schedule(new Date(next), "checkIntegrity", undefined, { idempotent: true });
    this.#nextNightAt = next;
  }

  readonly #startExport: StartExport = async (jobId, plan, record) => {
    const params = { userId: this.name, jobId, plan };
    const started = { id: jobId, jobId, params, now: Date.now() };
    await this.#workflows.start("EXPORTS", started, async () => {
      await record();
      return { isNew: true };
    });
  };

  readonly #startBackup: StartBackup = (work, record) => {
    const params = { userId: this.name, work };
    const started = { id: newJobId(), jobId: work.jobId, params, now: Date.now() };
    return this.#workflows.start("BACKUPS", started, record);
  };

  /** Null: the person lets it go on. */
  #refusalOf({ state }: Grant): UserError | null {
    const { PUBLIC_ORIGIN } = this.env;
    const deletion = this.#deletion.find();
    if (deletion !== null) return accountClosing(PUBLIC_ORIGIN, deletion);
    return state === "paused" ? paused(PUBLIC_ORIGIN) : null;
  }

  /** Null: it may go on. Asked before anything is opened or read. @param isPerson whom no hasty app is to keep from their own pages */
  #paceRefusal(grantId: string, { isPerson = false } = {}): UserError | null {
    const { grantCallsAMinute: grant, userCallsAMinute } = readLimits(this.env);
    const user = isPerson ? null : userCallsAMinute;
    const wait = this.#pace.take(grantId, { grant, user }, Date.now());
    return wait === 0 ? null : tooFast(wait);
  }

  /** As when it was admitted. */
  #isLetIn({ id, state }: Grant): boolean {
    return this.#deletion.find() === null && this.#grants.find(id, Date.now())?.state === state;
  }

  async allowGrant(grant: NewOAuthGrant): Promise<void> {
    for (const id of this.#grants.allowGrant(grant)) this.#changes.endOf(id);
    await this.noteHandshake("authorised", grant.client);
  }

  async allowToken(token: NewToken): Promise<void> {
    this.#grants.allowToken(token);
  }

  async listGrants(): Promise<GrantLine[]> {
    return this.#grants.list(Date.now());
  }

  /** Null: there is none of this id. */
  async findGrant(id: string): Promise<GrantLine | null> {
    return this.#grants.find(id, Date.now());
  }

  /** In force from the next call on. Null: there is none of this id. */
  async changeGrant(id: string, change: GrantChange): Promise<GrantLine | null> {
    // What listens under it listens with the rights that it had.
    this.#changes.endOf(id);
    this.#grants.change(id, change);
    return this.#grants.find(id, Date.now());
  }

  /** From now on every call under it is refused. False: there was none of this id. */
  async revokeGrant(id: string): Promise<boolean> {
    this.#changes.endOf(id);
    return this.#grants.revoke(id);
  }

  /** Closes the sockets of all pages: those of a session that is still one open another. */
  async endLive(): Promise<void> {
    for (const connection of this.getConnections()) connection.close(TRY_AGAIN, "Signed out");
  }

  async findDeletion(): Promise<Deletion | null> {
    return this.#deletion.find();
  }

  /** From now on clients are refused; when the days of grace are over, everything goes. */
  async requestDeletion(): Promise<Deletion> {
    const deletion = this.#deletion.plan(Date.now());
    // First, because a wish whose day never comes would hold every app back for good; a call that finds no wish does nothing.
    await this.#planDeletion(deletion);
    this.#deletion.request(deletion);
    // A call of an earlier wish, which was taken back, may have ended meanwhile: it found none, and cancelled what was planned.
    await this.#planDeletion(deletion);
    for (const { id } of this.#grants.list(Date.now())) this.#changes.endOf(id);
    return deletion;
  }

  /** Null: there is none any more. */
  async takeBackDeletion(): Promise<Deletion | null> {
    this.#deletion.takeBack();
    return this.#deletion.find();
  }

  /**
   * A scheduled call. The account is closed first; an hour later, when whatever was under way has ended, its rows and files begin to go,
   * part by part as the trash's do, and at last this object's own storage.
   */
  async deleteAccount(): Promise<void> {
    let isUnasked = false;
    await this.#runScheduled("deleteAccount", NEXT_PART_SECONDS, async () => {
      const deletion = this.#deletion.find();
      if (deletion === null) {
        isUnasked = true;
        return null;
      }
      if (Date.now() < deletion.dueAt) return new Date(deletion.dueAt);
      if (!deletion.isClosed) {
        // Before anything is awaited: whoever takes it back now must hear that it is too late.
        this.#deletion.begin();
        await closeAccount(this.env.DB, this.name);
        for (const { id } of this.#grants.list(Date.now())) await this.revokeGrant(id);
        await this.endLive();
        this.#deletion.close();
        return NEXT_PART_SECONDS;
      }
      const plan = readPlan(this.env.PLAN);
      const isEmpty =
        (await deleteOAuthGrants(this.env.OAUTH_KV, this.name)) &&
        (await deleteFiles(this.env.ARCHIVES, this.name, plan)) &&
        (await deleteRows(this.env.DB, this.name, plan));
      if (isEmpty) await this.destroy();
      return NEXT_PART_SECONDS;
    });
    // Who asked for it meanwhile found it planned, and what was planned is cancelled by now.
    const wish = isUnasked ? this.#deletion.find() : null;
    if (wish !== null) await this.#planDeletion(wish);
  }

  async #planDeletion({ dueAt }: Deletion): Promise<void> {
    const planned = await this.#plannedLater("deleteAccount");
    if (planned === undefined) await this.schedule(new Date(dueAt), "deleteAccount");
  }

  readonly #lasting: Lasting = {
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
    // Some thousand words at most, and the object itself is forgotten soon after the last request.
    commonTerms: new Map(),
    keptTallies: openKeptTallies(this.ctx.storage.sql),
  };
}

/** What `apps/dashboard/live/live.ts` hears. */
const CHANGED = JSON.stringify({ type: "changed" });
/** Ids sort by the time at which a request began, and one that began earlier may end later. Arbitrary. */
const LATEST_OPERATIONS = 10;

const DAY_SECONDS = 86_400;
/** Writing is how a stream that its client left is noticed, and makes room for the next. */
const KEEP_ALIVE_MS = 5_000;
/** Arbitrary: told twice does no harm. */
const LONGEST_REQUEST_MS = 60_000;
/** Arbitrary. */
const UPKEEP_RETRY_SECONDS = 3_600;
/** Between two parts of a check: others ask the database meanwhile. Arbitrary. */
const NEXT_CHECK_SECONDS = 2;
/** Between two parts of a large trash: nobody waits, and the day's writes are for those who do (`storage/plan.ts`). */
const NEXT_PART_SECONDS = 3_600;

/** The person's own session: no grant, every right. */
const DASHBOARD: Grant = {
  id: "dashboard",
  kind: "token",
  client: "Dashboard",
  state: "active",
  scopes: SCOPES,
  trusted: true,
};

function resourceMetadataUrl(publicOrigin: string): string {
  return `${publicOrigin}/.well-known/oauth-protected-resource/mcp`;
}

const REVOKED = "This access was revoked or never given.";

/** The same as the OAuth library's, so that clients sign in again. */
function unauthorized(publicOrigin: string): Response {
  return Response.json(
    { error: "invalid_token", error_description: `${REVOKED} Connect again.` },
    { status: 401, headers: { "WWW-Authenticate": challengeOf(publicOrigin) } },
  );
}

function challengeOf(publicOrigin: string): string {
  return `Bearer realm="OAuth", resource_metadata="${resourceMetadataUrl(publicOrigin)}", error="invalid_token", error_description="${REVOKED} Connect again."`;
}
