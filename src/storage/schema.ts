/**
 * Every table. Rows hold ids, times, sizes, counts and members of closed lists in the clear;
 * whatever a person or an assistant wrote stands only in a `body` (AES-256-GCM, `vault/seal.ts`) or as blind tokens.
 * Times are integer milliseconds UTC, set in code. The full-text tables and `WITHOUT ROWID` are hand-written in `migrations/`.
 */
import { sql } from "drizzle-orm";
import {
  blob,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { CATEGORIES, ROLES, SOURCES } from "./closed-lists.ts";

export const MEMORY_STATUSES = ["active", "pending", "trashed"] as const;
export type MemoryStatus = (typeof MEMORY_STATUSES)[number];

const time = (name: string) => integer(name);
const body = () => blob("body", { mode: "buffer" }).notNull();

/** First database only. The master key stands here wrapped (`vault/keys.ts`). */
export const users = sqliteTable("users", {
  id: text("id").primaryKey(),
  shard: text("shard").notNull(),
  mode: text("mode", { enum: ["managed", "sealed", "end_to_end"] }).notNull(),
  keyVersion: integer("key_version").notNull(),
  wrappedKey: blob("wrapped_key", { mode: "buffer" }).notNull(),
  keyCheck: text("key_check").notNull(),
  /** Which `VAULT_KEY` wraps it (`vaultKeyId`); null: from before that was noted. */
  wrappedUnder: text("wrapped_under"),
  timeZone: text("time_zone").notNull(),
  locale: text("locale").notNull(),
  createdAt: time("created_at").notNull(),
});

export const accounts = sqliteTable("accounts", {
  userId: text("user_id").primaryKey(),
  memoriesActive: integer("memories_active").notNull().default(0),
  memoriesPending: integer("memories_pending").notNull().default(0),
  memoriesTrashed: integer("memories_trashed").notNull().default(0),
  /** Sum of `token_count` over active memories: the average length that ranking needs. */
  memoryTokens: integer("memory_tokens").notNull().default(0),
  conversations: integer("conversations").notNull().default(0),
  conversationsTrashed: integer("conversations_trashed").notNull().default(0),
  messages: integer("messages").notNull().default(0),
  messageTokens: integer("message_tokens").notNull().default(0),
  bytes: integer("bytes").notNull().default(0),
  /** Raised by every write that may make no operation of its own: with the newest operation it marks what an account holds (`backups.ts`). */
  changes: integer("changes").notNull().default(0),
  /** Numbers and enums in the clear; words only inside `rule_words`. */
  rules: text("rules"),
  ruleWords: blob("rule_words", { mode: "buffer" }),
  /** JSON: blind tokens that are common in a sample of the rows, with estimated frequencies; and how many rows there were then. */
  commonMemoryTerms: text("common_memory_terms"),
  commonMessageTerms: text("common_message_terms"),
  memoriesSampled: integer("memories_sampled").notNull().default(0),
  messagesSampled: integer("messages_sampled").notNull().default(0),
  /** The oldest version of the tokeniser by which a row may have been indexed (`search/tokenize.ts`). */
  memoryTokenizer: integer("memory_tokenizer").notNull().default(1),
  messageTokenizer: integer("message_tokenizer").notNull().default(1),
  lastExportAt: time("last_export_at"),
  lastBackupAt: time("last_backup_at"),
  lastVerifiedBackupAt: time("last_verified_backup_at"),
  /** JSON: the check of the rows against each other that runs, or ran last (`integrity/check.ts`). Ids and counts only. */
  integrity: text("integrity"),
});

const memoryColumns = {
  version: integer("version").notNull(),
  /** The version that `body` was sealed under: a change of status alone leaves the ciphertext as it is. */
  bodyVersion: integer("body_version").notNull(),
  status: text("status", { enum: MEMORY_STATUSES }).notNull(),
  category: text("category", { enum: CATEGORIES }).notNull(),
  source: text("source", { enum: SOURCES }).notNull(),
  /** Whose statement it is, as the assistant claimed. */
  origin: text("origin", { enum: ["user", "assistant"] }).notNull(),
  /** Whether the person asked for it to be saved, as the assistant claimed. */
  userAsked: integer("user_asked", { mode: "boolean" }).notNull().default(false),
  grantId: text("grant_id").notNull(),
  client: text("client").notNull(),
  importance: integer("importance").notNull(),
  fingerprint: text("fingerprint").notNull(),
  originKey: text("origin_key"),
  /** Of a memory file; null once another memory supersedes it. The path itself stands in `body`. */
  pathToken: text("path_token"),
  supersededBy: text("superseded_by"),
  createdAt: time("created_at").notNull(),
  updatedAt: time("updated_at").notNull(),
  lastUsedAt: time("last_used_at").notNull(),
  expiresAt: time("expires_at"),
  trashedAt: time("trashed_at"),
  createdOp: text("created_op").notNull(),
  changedOp: text("changed_op").notNull(),
  trashedOp: text("trashed_op"),
  sizeBytes: integer("size_bytes").notNull(),
  tokenCount: integer("token_count").notNull(),
  tokenizerVersion: integer("tokenizer_version").notNull(),
  keyVersion: integer("key_version").notNull(),
  tokens: text("tokens").notNull(),
  dt: text("dt").notNull(),
  body: body(),
};

export const memories = sqliteTable(
  "memories",
  {
    /** Row id of the full-text entry; AUTOINCREMENT, so never used again. */
    seq: integer("seq").primaryKey({ autoIncrement: true }),
    userId: text("user_id").notNull(),
    id: text("id").notNull(),
    ...memoryColumns,
  },
  (t) => [
    uniqueIndex("memories_id").on(t.userId, t.id),
    uniqueIndex("memories_fingerprint")
      .on(t.userId, t.fingerprint)
      .where(sql`status IN ('active', 'pending') AND superseded_by IS NULL`),
    uniqueIndex("memories_origin_key")
      .on(t.userId, t.originKey)
      .where(sql`origin_key IS NOT NULL`),
    uniqueIndex("memories_path")
      .on(t.userId, t.pathToken)
      .where(sql`path_token IS NOT NULL AND status = 'active'`),
    index("memories_by_time").on(t.userId, t.status, t.createdAt, t.id),
    // What a weak search suggests: without it each of them would walk and sort all of the user's rows.
    index("memories_by_importance").on(t.userId, t.status, t.importance, t.createdAt, t.id),
    // What goes first where the limit is reached; few rows are in these.
    index("memories_superseded")
      .on(t.userId, t.status)
      .where(sql`superseded_by IS NOT NULL`),
    index("memories_by_expiry")
      .on(t.userId, t.status, t.expiresAt)
      .where(sql`expires_at IS NOT NULL`),
  ],
);

/** Every earlier state of a memory, with the operation that replaced it. */
export const memoryVersions = sqliteTable(
  "memory_versions",
  {
    userId: text("user_id").notNull(),
    id: text("id").notNull(),
    replacedOp: text("replaced_op").notNull(),
    replacedAt: time("replaced_at").notNull(),
    ...memoryColumns,
  },
  (t) => [
    uniqueIndex("memory_versions_id").on(t.userId, t.id, t.version),
    index("memory_versions_op").on(t.userId, t.replacedOp),
  ],
);

/** One row per accepted request that changed something. Ids sort by time. WITHOUT ROWID. */
export const operations = sqliteTable(
  "operations",
  {
    userId: text("user_id").notNull(),
    id: text("id").notNull(),
    kind: text("kind", {
      enum: ["save", "update", "delete", "restore", "import", "undo", "rule", "sync"],
    }).notNull(),
    grantId: text("grant_id").notNull(),
    client: text("client").notNull(),
    createdAt: time("created_at").notNull(),
    /** JSON: counts by kind of item. */
    counts: text("counts").notNull(),
    undoesOp: text("undoes_op"),
    /** The one item it was about, of the restore of a backup or an archive its job; null when there were many items. */
    subject: text("subject"),
  },
  (t) => [primaryKey({ columns: [t.userId, t.id] })],
);

/** Encrypted names of tags, projects and directories of memory files by blind token. WITHOUT ROWID. */
export const labels = sqliteTable(
  "labels",
  {
    userId: text("user_id").notNull(),
    label: text("label").notNull(),
    kind: text("kind", { enum: ["tag", "project", "directory"] }).notNull(),
    keyVersion: integer("key_version").notNull(),
    createdAt: time("created_at").notNull(),
    body: body(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.label] })],
);

/** For listing by tag, project or directory. WITHOUT ROWID. */
export const memoryLabels = sqliteTable(
  "memory_labels",
  {
    userId: text("user_id").notNull(),
    label: text("label").notNull(),
    seq: integer("seq").notNull(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.label, t.seq] })],
);

const conversationColumns = {
  version: integer("version").notNull(),
  bodyVersion: integer("body_version").notNull(),
  status: text("status", { enum: MEMORY_STATUSES }).notNull(),
  source: text("source", { enum: SOURCES }).notNull(),
  grantId: text("grant_id").notNull(),
  client: text("client").notNull(),
  originKey: text("origin_key").notNull(),
  /** Keyed hash of title and times: unchanged or not. */
  hash: text("hash").notNull(),
  /** Keyed hash of the whole as the last import brought it (`conversation-digest.ts`); null: none did, or it left something out. */
  digest: text("digest"),
  createdAt: time("created_at").notNull(),
  updatedAt: time("updated_at").notNull(),
  trashedAt: time("trashed_at"),
  createdOp: text("created_op").notNull(),
  changedOp: text("changed_op").notNull(),
  trashedOp: text("trashed_op"),
  keyVersion: integer("key_version").notNull(),
  body: body(),
};

export const conversations = sqliteTable(
  "conversations",
  {
    userId: text("user_id").notNull(),
    id: text("id").notNull(),
    messageCount: integer("message_count").notNull(),
    ...conversationColumns,
  },
  (t) => [
    uniqueIndex("conversations_id").on(t.userId, t.id),
    uniqueIndex("conversations_origin_key").on(t.userId, t.originKey),
    index("conversations_by_time").on(t.userId, t.status, t.updatedAt, t.id),
    // The order of exports: unlike the last change it stays as it is while one is written.
    index("conversations_by_beginning").on(t.userId, t.createdAt, t.id),
  ],
);

export const conversationVersions = sqliteTable(
  "conversation_versions",
  {
    userId: text("user_id").notNull(),
    id: text("id").notNull(),
    replacedOp: text("replaced_op").notNull(),
    replacedAt: time("replaced_at").notNull(),
    ...conversationColumns,
  },
  (t) => [uniqueIndex("conversation_versions_id").on(t.userId, t.id, t.version)],
);

const messageColumns = {
  version: integer("version").notNull(),
  bodyVersion: integer("body_version").notNull(),
  position: integer("position").notNull(),
  role: text("role", { enum: ROLES }).notNull(),
  hash: text("hash").notNull(),
  /** Null when the platform does not say. */
  createdAt: time("created_at"),
  createdOp: text("created_op").notNull(),
  changedOp: text("changed_op").notNull(),
  sizeBytes: integer("size_bytes").notNull(),
  tokenCount: integer("token_count").notNull(),
  tokenizerVersion: integer("tokenizer_version").notNull(),
  keyVersion: integer("key_version").notNull(),
  tokens: text("tokens").notNull(),
  dt: text("dt").notNull(),
  /** Blind tokens of who speaks: their name or role, and of an assistant its platform. They stand in `dt` too. */
  speaker: text("speaker").notNull().default(""),
  body: body(),
};

/** Messages share the status of their conversation: trashing one writes one row. */
export const messages = sqliteTable(
  "messages",
  {
    seq: integer("seq").primaryKey({ autoIncrement: true }),
    userId: text("user_id").notNull(),
    /** `~` and its id: an undo took the message out of it (`conversation-states.ts`). */
    conversation: text("conversation").notNull(),
    /** Unique within the conversation; found through it, so it needs no index. */
    id: text("id").notNull(),
    originKey: text("origin_key").notNull(),
    ...messageColumns,
  },
  (t) => [
    uniqueIndex("messages_origin_key").on(t.userId, t.originKey),
    index("messages_by_position").on(t.userId, t.conversation, t.position),
  ],
);

export const messageVersions = sqliteTable(
  "message_versions",
  {
    userId: text("user_id").notNull(),
    conversation: text("conversation").notNull(),
    id: text("id").notNull(),
    replacedOp: text("replaced_op").notNull(),
    replacedAt: time("replaced_at").notNull(),
    ...messageColumns,
  },
  (t) => [uniqueIndex("message_versions_id").on(t.userId, t.conversation, t.id, t.version)],
);

export const JOB_STATES = [
  "created",
  "running",
  "waiting_quota",
  "finished",
  "failed",
  "cancelled",
] as const;

/** Imports, exports, backups, and restores of those. Reports and examples are sealed in `body`. */
export const jobs = sqliteTable(
  "jobs",
  {
    userId: text("user_id").notNull(),
    id: text("id").notNull(),
    kind: text("kind", { enum: ["import", "export", "backup", "restore"] }).notNull(),
    state: text("state", { enum: JOB_STATES }).notNull(),
    format: text("format").notNull(),
    grantId: text("grant_id").notNull(),
    client: text("client").notNull(),
    operationId: text("operation_id"),
    /** JSON: counts by kind of item. */
    counts: text("counts").notNull(),
    /** The last batch of an import that was written. */
    cursor: integer("cursor"),
    chunks: integer("chunks").notNull().default(0),
    sizeBytes: integer("size_bytes").notNull().default(0),
    sha256: text("sha256"),
    /** Keyed hash of the files of an import: choosing the same ones again goes on with it. */
    uploadKey: text("upload_key"),
    /** When a backup was last restored for a trial, and was whole. */
    verifiedAt: time("verified_at"),
    createdAt: time("created_at").notNull(),
    updatedAt: time("updated_at").notNull(),
    /** An import that was sent whole takes nothing after its own request: of that it is the beginning. */
    expiresAt: time("expires_at"),
    keyVersion: integer("key_version").notNull(),
    body: blob("body", { mode: "buffer" }),
  },
  (t) => [
    uniqueIndex("jobs_id").on(t.userId, t.id),
    index("jobs_by_time").on(t.userId, t.kind, t.createdAt),
  ],
);

/** What imports have written on a day (UTC, days since 1970), of all users of this database: the free plan counts them together. */
export const importDays = sqliteTable("import_days", {
  day: integer("day").primaryKey(),
  /** Estimated, on the high side. */
  rowsWritten: integer("rows_written").notNull(),
});

/** Clients that strangers have registered on a day (UTC, days since 1970): each is a write to KV, which the free plan counts together. */
export const registrationDays = sqliteTable("registration_days", {
  day: integer("day").primaryKey(),
  clients: integer("clients").notNull(),
});

/** A key that was used, for 24 hours. Key and arguments stand as keyed hashes. WITHOUT ROWID. */
export const idempotency = sqliteTable(
  "idempotency",
  {
    userId: text("user_id").notNull(),
    grantId: text("grant_id").notNull(),
    key: text("key").notNull(),
    argsHash: text("args_hash").notNull(),
    op: text("op").notNull(),
    expiresAt: time("expires_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.grantId, t.key] })],
);

/*
 * better-auth's tables, in the shape that its Drizzle adapter and the passkey plugin ask for. Names and account addresses stand in the clear.
 */
export const authUser = sqliteTable("auth_user", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  email: text("email").notNull().unique(),
  emailVerified: integer("email_verified", { mode: "boolean" }).notNull(),
  image: text("image"),
  createdAt: integer("created_at", { mode: "timestamp_ms" }).notNull(),
  updatedAt: integer("updated_at", { mode: "timestamp_ms" }).notNull(),
});

const authUserId = () =>
  text("user_id")
    .notNull()
    .references(() => authUser.id, { onDelete: "cascade" });

export const authSession = sqliteTable(
  "auth_session",
  {
    id: text("id").primaryKey(),
    expiresAt: integer("expires_at", { mode: "timestamp_ms" }).notNull(),
    token: text("token").notNull().unique(),
    createdAt: integer("created_at", { mode: "timestamp_ms" }).notNull(),
    updatedAt: integer("updated_at", { mode: "timestamp_ms" }).notNull(),
    ipAddress: text("ip_address"),
    userAgent: text("user_agent"),
    userId: authUserId(),
  },
  (t) => [index("auth_session_user").on(t.userId)],
);

export const authAccount = sqliteTable(
  "auth_account",
  {
    id: text("id").primaryKey(),
    accountId: text("account_id").notNull(),
    providerId: text("provider_id").notNull(),
    userId: authUserId(),
    accessToken: text("access_token"),
    refreshToken: text("refresh_token"),
    idToken: text("id_token"),
    accessTokenExpiresAt: integer("access_token_expires_at", { mode: "timestamp_ms" }),
    refreshTokenExpiresAt: integer("refresh_token_expires_at", { mode: "timestamp_ms" }),
    scope: text("scope"),
    password: text("password"),
    createdAt: integer("created_at", { mode: "timestamp_ms" }).notNull(),
    updatedAt: integer("updated_at", { mode: "timestamp_ms" }).notNull(),
  },
  (t) => [index("auth_account_user").on(t.userId)],
);

export const authVerification = sqliteTable(
  "auth_verification",
  {
    id: text("id").primaryKey(),
    identifier: text("identifier").notNull(),
    value: text("value").notNull(),
    expiresAt: integer("expires_at", { mode: "timestamp_ms" }).notNull(),
    createdAt: integer("created_at", { mode: "timestamp_ms" }).notNull(),
    updatedAt: integer("updated_at", { mode: "timestamp_ms" }).notNull(),
  },
  (t) => [index("auth_verification_identifier").on(t.identifier)],
);

export const authPasskey = sqliteTable(
  "auth_passkey",
  {
    id: text("id").primaryKey(),
    name: text("name"),
    publicKey: text("public_key").notNull(),
    userId: authUserId(),
    credentialID: text("credential_id").notNull(),
    counter: integer("counter").notNull(),
    deviceType: text("device_type").notNull(),
    backedUp: integer("backed_up", { mode: "boolean" }).notNull(),
    transports: text("transports"),
    createdAt: integer("created_at", { mode: "timestamp_ms" }),
    aaguid: text("aaguid"),
  },
  (t) => [
    index("auth_passkey_user").on(t.userId),
    index("auth_passkey_credential").on(t.credentialID),
  ],
);
