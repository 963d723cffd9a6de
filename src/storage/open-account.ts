import type { Vocabulary } from "../search/vocabulary.ts";
import type { Keys } from "../vault/keys.ts";
import type { Source } from "./closed-lists.ts";
import { openAccounts, type AccountRow, type AccountStore } from "./accounts.ts";
import { openArchives, type ArchiveStore } from "./archives.ts";
import { openBackupFiles, type BackupFiles } from "./backup-files.ts";
import { openBackups, type BackupStore } from "./backups.ts";
import { openConversations, type ConversationStore } from "./conversations.ts";
import { openExportRows, type ExportRows } from "./export-rows.ts";
import { openImports, type ImportStore } from "./imports.ts";
import type { KnownCommonTerms } from "./full-text.ts";
import { openIntegrity, type IntegrityStore } from "./integrity.ts";
import { openJobs, type JobStore } from "./jobs.ts";
import { openMemories, type MemoryStore } from "./memories.ts";
import { openManyMemories, type ManyMemoriesStore } from "./many-memories.ts";
import { openMemoryFiles, type MemoryFileStore } from "./memory-files.ts";
import { openMemoryIndex, type MemoryIndex } from "./memory-index.ts";
import { openMessageIndex, type MessageIndex } from "./message-index.ts";
import { openArchiveRestore, type ArchiveRestoreStore } from "./archive-restore.ts";
import { openRuleEffects, type RuleEffectStore } from "./rule-effects.ts";
import type { MemoryRules, RuleSources } from "./rules.ts";
import { openOperations, type OperationStore } from "./operations.ts";
import { readLimits, type Limits } from "./limits.ts";
import { readPlan, type Plan } from "./plan.ts";
import { openSyncRows, type SyncRows } from "./sync-rows.ts";
import { openSyncedConversations, type SyncedConversationStore } from "./synced-conversations.ts";
import { openSyncedMemories, type SyncedMemoryStore } from "./synced-memories.ts";
import type { KeptTallies } from "./tallies.ts";
import { openTimeline, type TimelineStore } from "./timeline.ts";
import { openReindex, type ReindexStore } from "./reindex.ts";

/** One user's stores and opened keys: what a domain function is given, for one request. */
export interface OpenAccount {
  readonly userId: string;
  readonly keys: Keys;
  /** IANA name: how dates in words are read and which day a memory belongs to. */
  readonly timeZone: string;
  /** As it was when the request began. */
  readonly row: AccountRow;
  readonly rules: MemoryRules;
  readonly ruleSources: RuleSources;
  readonly accounts: AccountStore;
  readonly memories: MemoryStore;
  readonly manyMemories: ManyMemoriesStore;
  readonly memoryFiles: MemoryFileStore;
  readonly memoryIndex: MemoryIndex;
  readonly conversations: ConversationStore;
  readonly messageIndex: MessageIndex;
  readonly operations: OperationStore;
  readonly reindex: ReindexStore;
  readonly exportRows: ExportRows;
  readonly imports: ImportStore;
  readonly archiveRestore: ArchiveRestoreStore;
  readonly syncRows: SyncRows;
  readonly syncedMemories: SyncedMemoryStore;
  readonly syncedConversations: SyncedConversationStore;
  readonly integrity: IntegrityStore;
  readonly jobs: JobStore;
  readonly timeline: TimelineStore;
  readonly ruleEffects: RuleEffectStore;
  readonly archives: ArchiveStore;
  readonly backups: BackupStore;
  readonly backupFiles: BackupFiles;
  readonly plan: Plan;
  readonly limits: Limits;
  /** Runs imports of one user one after another: two at once would each compare with a state that the other changes. */
  readonly oneAtATime: OneAtATime;
  /** What an import knows of words already. Empty where the caller keeps none. */
  readonly vocabularyOf: VocabularyOf;
  /** What searches know of common words already, from those before. */
  readonly commonTerms: KnownCommonTerms;
  readonly keptTallies: KeptTallies;
}

/** They need no key. */
export interface BackupStores {
  readonly backups: BackupStore;
  readonly files: BackupFiles;
  /** Of the plan. */
  readonly stepSize: number;
}

/** What lasts longer than a request, in the user's object; elsewhere nothing does. */
export type Lasting = Pick<
  OpenAccount,
  "oneAtATime" | "vocabularyOf" | "commonTerms" | "keptTallies"
>;
export type OneAtATime = <T>(work: () => Promise<T>) => Promise<T>;
export type VocabularyOf = (jobId: string) => Vocabulary;

/** Who asks, through what, and when. */
export interface Caller {
  readonly grantId: string;
  /** As the client names itself: a claim. */
  readonly client: string;
  readonly source: Extract<Source, "mcp" | "api" | "dashboard">;
  /** The person themself, or a token that they trust with what is theirs to decide: approving, and changing rules. */
  readonly trusted: boolean;
  /** Milliseconds UTC. */
  readonly now: number;
}

export function openAccount(
  env: Pick<Env, "DB" | "ARCHIVES" | "PLAN" | "LIMITS">,
  { user, account }: { readonly user: { readonly timeZone: string }; readonly account: AccountRow },
  opened: Pick<OpenAccount, "keys" | keyof Lasting | "rules" | "ruleSources">,
): OpenAccount {
  const { keys } = opened;
  return {
    ...opened,
    userId: keys.userId,
    timeZone: user.timeZone,
    row: account,
    accounts: openAccounts(env.DB, keys.userId),
    memories: openMemories(env.DB, keys.userId),
    manyMemories: openManyMemories(env.DB, keys.userId),
    memoryFiles: openMemoryFiles(env.DB, keys.userId),
    memoryIndex: openMemoryIndex(env.DB, account, opened.commonTerms),
    conversations: openConversations(env.DB, keys.userId),
    messageIndex: openMessageIndex(env.DB, account, opened.commonTerms),
    operations: openOperations(env.DB, keys.userId),
    reindex: openReindex(env.DB, keys.userId),
    exportRows: openExportRows(env.DB, keys.userId),
    imports: openImports(env.DB, keys.userId),
    archiveRestore: openArchiveRestore(env.DB, keys.userId),
    syncRows: openSyncRows(env.DB, keys.userId),
    syncedMemories: openSyncedMemories(env.DB, keys.userId),
    syncedConversations: openSyncedConversations(env.DB, keys.userId),
    integrity: openIntegrity(env.DB, keys.userId),
    jobs: openJobs(env.DB, keys.userId),
    timeline: openTimeline(env.DB, keys.userId),
    ruleEffects: openRuleEffects(env.DB, keys.userId),
    archives: openArchives(env.ARCHIVES, keys),
    backups: openBackups(env.DB, keys.userId),
    backupFiles: openBackupFiles(env.ARCHIVES, keys.userId),
    plan: readPlan(env.PLAN),
    limits: readLimits(env),
  };
}

export function openBackupStores(
  env: { readonly DB: D1Database; readonly ARCHIVES: R2Bucket },
  userId: string,
  stepSize = 1,
): BackupStores {
  return {
    stepSize,
    backups: openBackups(env.DB, userId),
    files: openBackupFiles(env.ARCHIVES, userId),
  };
}
