/**
 * What the API answers, for its document. Strict: a test parses real answers with these, so that no field is missing here or too many.
 * Never loaded by the Worker, which takes only their types from here.
 */
import * as z from "zod";
import { PHASES } from "../../integrity/check.ts";
import { KINDS, LEFT, REPAIRED } from "../../integrity/damage.ts";
import { MEMORY_STATUSES, JOB_STATES } from "../../storage/schema.ts";
import { CATEGORIES, ROLES, SOURCES } from "../../storage/closed-lists.ts";
import { PARTIAL_COUNTS } from "../../storage/rule-effects.ts";
import { ITEM_KINDS, SKIP_REASONS } from "../../transfer/records.ts";
import { ruleSettingsSchema } from "../../storage/rules.ts";

const time = z.iso.datetime();
const id = z.string();
const count = z.int().min(0);
const counts = z.record(z.string(), count);
const nextCursor = z.string().optional().describe("Send it as `cursor` for what follows");
const operationId = z.string().optional().describe("Absent when nothing was changed");

const memoryFields = {
  id,
  version: z.int(),
  content: z.string(),
  category: z.enum(CATEGORIES),
  tags: z.array(z.string()).optional(),
  project: z.string().optional(),
  path: z.string().optional().describe("Of a memory file"),
  importance: z.int().min(1).max(5),
  source: z.enum(SOURCES),
  origin: z.enum(["user", "assistant"]),
  user_asked: z.literal(true).optional(),
  client: z.string(),
  status: z.enum(MEMORY_STATUSES),
  created_at: time,
  updated_at: time,
  expires_at: time.optional(),
  superseded_by: id.optional(),
  supersedes: id.optional(),
  trashed_at: time.optional(),
};
const memory = z.strictObject(memoryFields).meta({ id: "Memory" });

const ruleNote = z
  .strictObject({
    rule: z.string(),
    action: z.string(),
    message: z.string(),
    memory: z.strictObject({ id, content: z.string() }).optional(),
  })
  .meta({ id: "RuleNote", description: "What one of the person's memory rules did" });

export const saved = z.strictObject({
  outcome: z.enum(["created", "duplicate", "pending"]),
  memory,
  similar: z.array(
    z.strictObject({
      id,
      content: z.string(),
      relevance: z.number(),
      only_here: z.array(z.string()),
      only_there: z.array(z.string()),
    }),
  ),
  rules: z.array(ruleNote).optional(),
  operation_id: operationId,
});
export type Saved = z.infer<typeof saved>;

export const memoryPage = z.strictObject({
  memories: z.array(memory),
  total: count,
  next_cursor: nextCursor,
});
export type MemoryPage = z.infer<typeof memoryPage>;

export const memoryWithVersions = z.strictObject({
  memory,
  versions: z.array(memory).optional().describe("Newest first"),
});
export type MemoryWithVersions = z.infer<typeof memoryWithVersions>;

export const changedMemory = z.strictObject({
  memory,
  rules: z.array(ruleNote).optional(),
  operation_id: operationId,
});
export type ChangedMemory = z.infer<typeof changedMemory>;

export const deletedMemory = z.strictObject({
  memory,
  restorable_until: time,
  operation_id: operationId,
});
export type DeletedMemory = z.infer<typeof deletedMemory>;

export const memoryStates = z.strictObject({
  versions: z
    .array(
      z.strictObject({
        ...memoryFields,
        operation_id: id.describe("What brought it about"),
        changed_by: z.string().optional().describe("The client, as it named itself"),
        change: z.string().optional().describe("The kind of that operation"),
      }),
    )
    .describe("The present state and earlier ones, newest first"),
});
export type MemoryStates = z.infer<typeof memoryStates>;

const labels = z.array(z.strictObject({ name: z.string(), count }));
export const memoryLabels = z.strictObject({ tags: labels, projects: labels });
export type MemoryLabels = z.infer<typeof memoryLabels>;

export const changedMemories = z.strictObject({
  operation_id: operationId,
  changed: z.array(id),
  left: z.array(
    z.strictObject({
      id,
      reason: z.enum(["not_found", "unchanged", "changed_since", "duplicate", "redacted"]),
    }),
  ),
});
export type ChangedMemories = z.infer<typeof changedMemories>;

export const memoryHits = z.strictObject({
  results: z.array(
    z
      .strictObject({
        ...memoryFields,
        content: z.string().optional(),
        snippet: z.string().optional().describe("Instead of long content"),
        matched: z
          .boolean()
          .describe("False: shares no word with the query, and is offered all the same"),
        relevance: z.number(),
        why: z.array(z.string()),
      })
      .meta({ id: "MemoryHit" }),
  ),
  conversations: z
    .array(z.strictObject({ id, title: z.string(), platform: z.enum(SOURCES), updated_at: time }))
    .optional(),
  total: count,
  next_cursor: nextCursor,
});
export type MemoryHits = z.infer<typeof memoryHits>;

const conversationFields = {
  id,
  title: z.string(),
  platform: z.enum(SOURCES),
  project: z.string().optional(),
  message_count: count,
  created_at: time,
  updated_at: time,
};
const conversation = z.strictObject(conversationFields).meta({ id: "Conversation" });
const neighbour = z.strictObject({ id, role: z.enum(ROLES), text: z.string() });

export const conversationPage = z.strictObject({
  conversations: z.array(
    z.strictObject({
      ...conversationFields,
      restorable_until: time.optional().describe("Of one in the trash"),
    }),
  ),
  total: count,
  next_cursor: nextCursor,
});
export type ConversationPage = z.infer<typeof conversationPage>;

export const messageHits = z.strictObject({
  results: z.array(
    z.strictObject({
      conversation,
      message: z.strictObject({
        id,
        role: z.enum(ROLES),
        created_at: time.optional(),
        snippet: z.string(),
      }),
      before: neighbour.optional(),
      after: neighbour.optional(),
      relevance: z.number(),
      why: z.array(z.string()),
    }),
  ),
  total: count,
  next_cursor: nextCursor,
});
export type MessageHits = z.infer<typeof messageHits>;

export const messagePage = z.strictObject({
  conversation,
  messages: z.array(
    z.strictObject({
      id,
      role: z.enum(ROLES),
      text: z.string(),
      name: z.string().optional(),
      model: z.string().optional(),
      created_at: time.optional(),
      continues: z.literal(true).optional().describe("More of its text is on the next page"),
    }),
  ),
  next_cursor: nextCursor,
});
export type MessagePage = z.infer<typeof messagePage>;

export const messageStretch = z.strictObject({
  conversation,
  messages: z.array(
    z.strictObject({
      id,
      position: count,
      role: z.enum(ROLES),
      text: z.string(),
      name: z.string().optional(),
      model: z.string().optional(),
      created_at: time.optional(),
    }),
  ),
  end: count.describe("Behind the last position; not every one before it need have a message"),
});

export const messagesFound = z.strictObject({
  results: z
    .array(z.strictObject({ id, position: count, snippet: z.string(), why: z.array(z.string()) }))
    .describe("In the order of the conversation"),
});

const changedConversations = z.string().nullable().describe("Null when nothing was changed");
export const deletedConversation = z.strictObject({
  operation_id: changedConversations,
  deleted: z.array(id),
  already_deleted: z.array(id),
});
export const deletedConversations = deletedConversation.extend({ not_found: z.array(id) });
export const restoredConversation = z.strictObject({
  operation_id: changedConversations,
  restored: z.array(id),
});
export const restoredConversations = restoredConversation.extend({
  unchanged: z.array(id).describe("That are not in the trash, or changed meanwhile"),
  not_found: z.array(id),
});

export const stats = z.strictObject({
  memories: z.strictObject({
    active: count,
    pending: count,
    trashed: count,
    by_category: counts,
    by_source: counts,
    by_client: counts,
    by_month: counts,
  }),
  conversations: z.strictObject({ total: count, messages: count, by_platform: counts }),
  bytes: count,
  top_tags: z.array(z.strictObject({ tag: z.string(), count })),
  quota: z.strictObject({
    memories_used: count,
    memories_limit: count,
    bytes_used: count.optional(),
    bytes_limit: count
      .optional()
      .describe("What this server keeps of one person; absent: without a limit"),
  }),
  rules: ruleSettingsSchema(),
  last_export_at: time.optional(),
  last_backup_at: time.optional(),
  last_verified_backup_at: time.optional(),
  backup_problem: z.string().optional(),
  last_check: z
    .strictObject({ at: time, repaired: count, left: count })
    .optional()
    .describe("Of rows, versions, index, labels and counters against each other"),
  time_zone: z.string(),
});
export type Stats = z.infer<typeof stats>;

const bySource = z.partialRecord(z.enum(SOURCES), count);

export const timeline = z.strictObject({
  time_zone: z.string(),
  days: z
    .array(z.strictObject({ day: z.iso.date(), memories: bySource, messages: bySource }))
    .describe("The oldest first"),
  is_complete: z
    .boolean()
    .describe("False: of very many the oldest, and a part of the first day, were left out"),
});

const exportJob = z.strictObject({ id, state: z.enum(JOB_STATES) });
const exportFields = {
  counts: counts.optional(),
  download: z
    .strictObject({ url: z.url(), bytes: count, sha256: z.string(), expires_at: time })
    .optional(),
};
export const exported = z.strictObject({
  data: z.string().optional().describe("A small export itself"),
  job: exportJob.optional(),
  ...exportFields,
});
export type Exported = z.infer<typeof exported>;

const listedExport = z.strictObject({
  job: exportJob,
  ...exportFields,
  format: z.string(),
  made_by: z.string(),
  created_at: time,
});
export type ListedExport = z.infer<typeof listedExport>;
export const exportList = z.strictObject({ exports: z.array(listedExport) });

const itemCounts = {
  found: count,
  new: count,
  updated: count,
  unchanged: count,
  skipped: count,
};
const reportFields = {
  items: z.strictObject({
    ...itemCounts,
    remaining: count,
    by_kind: z.record(z.enum(ITEM_KINDS), z.strictObject(itemCounts)),
  }),
  skipped_reasons: z
    .array(
      z.strictObject({
        kind: z.enum(ITEM_KINDS),
        reason: z.enum(SKIP_REASONS),
        count,
        examples: z.array(z.string()),
      }),
    )
    .optional(),
  rules: z.array(ruleNote).optional(),
  files: z.array(
    z.strictObject({
      name: z.string(),
      format: z.string().optional(),
      truncated: z.literal(true).optional(),
      not_read: z.string().optional(),
      message: z.string().optional(),
      hint: z.string().optional(),
    }),
  ),
  more_files: count.optional().describe("That are not listed"),
};
const wanted = z
  .array(z.int())
  .optional()
  .describe(
    "Nothing of the batch was taken: places of `unchanged` records that must be sent as `conversation`",
  );
const importFields = {
  format: z.string(),
  job: z.strictObject({
    id,
    state: z.enum(JOB_STATES),
    next_batch: z.int().optional(),
    bytes_read: count.optional(),
    bytes_total: count.optional(),
    estimated_end_at: time.optional(),
    resume_at: time.optional(),
  }),
  wanted,
  operation_id: z.string().optional(),
  ...reportFields,
};
export const imported = z.strictObject(importFields).meta({ id: "Import" });
export const importList = z.strictObject({
  imports: z.array(
    z.strictObject({
      ...importFields,
      made_by: z.string(),
      created_at: time,
      updated_at: time,
      unfinished: z.boolean().describe("True: importing the same files goes on with it"),
    }),
  ),
  next_before: z.string().nullable().describe("Send it as `before`; null: there are no more"),
});
const checked = z
  .strictObject({ dry_run: z.literal(true), ...reportFields })
  .meta({ id: "ImportCheck" });
export const importedOrChecked = z.union([imported, checked]);
export const begunImport = z.strictObject({
  ...importFields,
  limits: z.strictObject({ chars: count, conversations: count, messages: count, memories: count }),
});
export const begunRestore = z.union([
  begunImport,
  z.strictObject({ check: checked.nullable().describe("Null: the account is in use") }),
  z.strictObject({ job: z.null().describe("The account is in use: import the file instead") }),
]);
export const checkedRecords = z.strictObject({
  check: checked,
  report: z.looseObject({}).describe("Send it with the next part"),
  wanted,
});

const syncItem = z.strictObject({
  id,
  version: z.int(),
  status: z.enum(MEMORY_STATUSES),
  digest: z.string().describe("Of what a person sees of it; the same wherever it is stored"),
  updated_at: time,
  redacted: count.optional().describe("Earlier states whose text was taken out for good"),
  origin: z.string().optional().describe("Of an import: the same wherever it was imported"),
  statement: z.string().optional().describe("Of a memory in use: what it says"),
  root: z.string().optional().describe("Of the root of a memory store: the store's name"),
  store: z.string().optional().describe("Of a file in use: the name of its store, as of a root"),
  messages: count.optional().describe("Of a conversation"),
  unfinished: z.literal(true).optional().describe("An import is still bringing it"),
  is_redacted: z.literal(true).optional().describe("Its text was taken out for good"),
});
const nextPage = z.string().nullable().describe("Null: there are no more");
export const begunSync = z.strictObject({
  operation_id: z.string().describe("Send it with each write: all of them are undone as one"),
  account: z.string().describe("The same as long as it is the same account"),
  last_operation: z.string().nullable(),
  goes_on: z
    .boolean()
    .describe("False: it was set back to before the operation that was named, as by a backup"),
  limits: z.strictObject({ chars: count, conversations: count, messages: count, memories: count }),
});
export const syncPage = z.strictObject({ items: z.array(syncItem), next: nextPage });
export const syncLines = z.strictObject({
  lines: z.array(z.looseObject({ type: z.string() })),
  next: nextPage,
});
export const syncWritten = z.strictObject({
  results: z.array(
    z.strictObject({
      kind: z.enum(["memory", "conversation"]),
      id,
      outcome: z.enum(["written", "changed", "limit_reached", "place_taken", "unreadable"]),
    }),
  ),
  resume_at: time.optional().describe("Nothing was written: the day's quota is spent until then"),
});

const touched = z.strictObject({ memories: count, conversations: count });
const undoFields = {
  operation_id: z.string().nullable().describe("Null when nothing was changed"),
  undone: touched,
  left: z.array(
    z.strictObject({
      kind: z.enum(["memory", "conversation"]),
      id,
      reason: z.enum(["changed_since", "duplicate", "redacted"]),
    }),
  ),
  purged: touched,
  rules_kept: z
    .literal(true)
    .optional()
    .describe("An archive's restore was undone, and the memory rules stay as they are"),
};
export const undone = z.strictObject(undoFields);
export const undoneOfClient = z.strictObject({
  results: z.array(
    z.union([
      z.strictObject({ undoes: id, ...undoFields }),
      z.strictObject({
        undoes: id,
        not_undone: z.literal("restored_backup"),
        backup_before: id.optional().describe("Restore this one instead, while it is kept"),
      }),
    ]),
  ),
  next_before: z.string().nullable(),
});
export const undoPreview = z.strictObject({
  operations: count,
  kinds: z.array(z.strictObject({ kind: z.string(), operations: count, ...touched.shape })),
});
export const clientList = z.strictObject({
  clients: z.array(
    z.strictObject({ grant_id: z.string(), client: z.string(), operations: count, last_at: time }),
  ),
});
export const operationPage = z.strictObject({
  operations: z.array(
    z
      .strictObject({
        id,
        kind: z.string(),
        grant_id: z.string(),
        client: z.string(),
        created_at: time,
        counts,
        undoes: id.optional(),
        subject: id.optional(),
      })
      .meta({ id: "Operation" }),
  ),
  next_before: z.string().nullable().describe("Send it as `before` for what follows"),
});

/** Of Claude's memory tool: what a `tool_result` block takes. */
export const toolResult = z.strictObject({ content: z.string(), is_error: z.boolean() });

const backup = z
  .strictObject({
    id,
    state: z.enum(JOB_STATES),
    made_by: z.string(),
    created_at: time,
    rows: counts.optional(),
    size_bytes: count.nullable().optional(),
    kept_until: time.optional(),
    verified_at: time.nullable(),
    rehearsal: z
      .strictObject({
        state: z.enum(["running", "passed", "failed"]),
        at: time,
        problem: z.string().optional(),
      })
      .optional(),
  })
  .meta({ id: "Backup" });
export const oneBackup = z.strictObject({ backup });
export const backupList = z.strictObject({
  backups: z.array(backup),
  last_verified_at: time.nullable(),
});
export const deletedBackup = z.strictObject({ deleted: id });
export const oneRestore = z.strictObject({
  restore: z.strictObject({
    id,
    state: z.enum(JOB_STATES),
    mode: z.enum(["merge", "whole"]),
    backup_id: id,
    created_at: time,
    backup_before: id.optional(),
    operation_id: z.string().optional(),
    restored: counts.optional(),
    kept: counts.optional(),
    skipped: z.array(z.strictObject({ table: z.string(), reason: z.string(), count })).optional(),
    rules_kept: z.literal(true).optional().describe("The token may not change them"),
    problem: z.string().optional(),
  }),
});

export const rulesAnswer = z.strictObject({
  rules: ruleSettingsSchema().partial(),
  defaults: ruleSettingsSchema().partial(),
  own: z.array(z.string()).describe("Names of those that the person set"),
});

export const ruleEffects = z.strictObject({
  auto_save: z.strictObject({
    waiting: count.describe("Saved by assistants, and waiting for the person"),
    would_wait: count.describe(
      "In use, saved by assistants on their own in the last 30 days, and waiting if these rules had held",
    ),
  }),
  imports: z.strictObject({ waiting: count.describe("Imported, and waiting for the person") }),
  max_memories: z.strictObject({ used: count, room: count.describe("For so many more") }),
  expire_after: z.strictObject({
    expired: count.describe("Past their date, and hidden"),
    would_hide: count.describe(
      "In use, and hidden if these rules had always held; they keep their date",
    ),
  }),
  blocked_tags: z.strictObject({ memories: count.describe("In use with a blocked tag") }),
  partial: z
    .array(z.enum(PARTIAL_COUNTS))
    .describe("Counts for which only the first 10,000 entries were looked at: there may be more"),
});

export const problem = z
  .strictObject({
    error: z.looseObject({
      code: z.string(),
      message: z.string(),
      hint: z.string().optional().describe("What to do instead"),
      retry_after_seconds: z
        .int()
        .optional()
        .describe("Where waiting helps, as in the header `Retry-After`"),
    }),
  })
  .meta({ id: "Problem" });

const counted = (names: readonly string[]) => z.partialRecord(z.enum(names), count);
const integrityCheck = z
  .strictObject({
    state: z.enum(["running", "finished"]),
    started_at: time,
    finished_at: time.nullable(),
    phase: z.enum(PHASES).nullable().describe("What is looked at, while it runs"),
    checked: counted(PHASES).describe("Rows that were looked at"),
    repaired: counted(REPAIRED).describe(
      "What follows from other rows, and agrees with them again",
    ),
    left: counted(LEFT).describe("What nothing else tells, and was left as it is"),
    named: z
      .array(
        z.strictObject({
          what: z.enum([...LEFT, ...REPAIRED]),
          kind: z.enum(KINDS),
          id: z.string(),
          version: z.number().optional(),
        }),
      )
      .describe("The first 50 of what was left, then the first 20 of what was repaired"),
  })
  .meta({ id: "IntegrityCheck" });
export const oneCheck = z.strictObject({ check: integrityCheck });
export const lastCheck = z.strictObject({ check: integrityCheck.nullable() });
