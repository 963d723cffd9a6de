/** The routes of the API, described for its document. A test compares them with those that there are. */
import * as z from "zod";
import { deleteMemory } from "../../mcp/tools/delete-memory.ts";
import { exportData } from "../../mcp/tools/export-data.ts";
import { getConversation } from "../../mcp/tools/get-conversation.ts";
import { getMemory } from "../../mcp/tools/get-memory.ts";
import { listConversations } from "../../mcp/tools/list-conversations.ts";
import { listMemories } from "../../mcp/tools/list-memories.ts";
import { saveMemory } from "../../mcp/tools/save-memory.ts";
import { searchConversations } from "../../mcp/tools/search-conversations.ts";
import { updateMemory } from "../../mcp/tools/update-memory.ts";
import type { Tool } from "../../mcp/tool.ts";
import type { Scope } from "../../scopes.ts";
import { ruleSettingsSchema } from "../../storage/rules.ts";
import { importSchemas } from "../../transfer/import-wire.ts";
import { syncSchemas } from "../../transfer/sync-wire.ts";
import { restoreSchema } from "../backups.ts";
import { idsSchema, listedStatus, searchSchema, stretchSchema } from "../conversations.ts";
import { importFilesSchema, importListSchema } from "../imports.ts";
import {
  memoryChangeSchema,
  memoryListSchema,
  memoryStatesSchema,
  searchMemoryBy,
} from "../memory-pages.ts";
import { memoryCommandSchema } from "../memory-tool.ts";
import { listSchema, previewSchema, undoSchema } from "../operations.ts";
import { MAX_TOKENS } from "../run-tool.ts";
import { timelineSchema } from "../timeline.ts";
import * as answers from "./answers.ts";

export interface ApiRoute {
  readonly method: "get" | "post" | "patch" | "delete";
  /** Parts in braces are ids. */
  readonly path: `/api/${string}`;
  /** Unique; generated clients make the name of a function of it. */
  readonly operation: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** A token needs all of them. Empty: any token, unless `needs` says otherwise. */
  readonly scopes: readonly Scope[];
  /** Where scopes do not tell: what is needed, as a sentence. */
  readonly needs?: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Bodies that are no JSON: their media types. */
  readonly files?: readonly string[];
  /** By status; a media type for what is no JSON. */
  readonly answers: Readonly<Record<number, z.ZodType | string>>;
}

const IMPORTS = importSchemas();
const SYNC = syncSchemas();
const UNDO: readonly Scope[] = ["memories:write", "memories:delete", "data:import"];
const RESTORE: readonly Scope[] = ["data:import", "memories:write", "memories:delete"];

export const routes: readonly ApiRoute[] = [
  {
    method: "get",
    path: "/api/memories",
    operation: "listMemories",
    tag: "Memories",
    summary: "Page through memories",
    description:
      "By tag or project: search with an empty query. A person's words travel in bodies only, because addresses end up in logs.",
    scopes: ["memories:read"],
    query: inputOf(listMemories, "tags", "tag_match", "project"),
    answers: { 200: answers.memoryPage },
  },
  {
    method: "post",
    path: "/api/memories",
    operation: "saveMemory",
    tag: "Memories",
    summary: "Save a memory",
    description: "201: saved. 200: it was known already. 202: it waits for the person's approval.",
    scopes: ["memories:write"],
    body: inputOf(saveMemory),
    answers: { 201: answers.saved, 200: answers.saved, 202: answers.saved },
  },
  {
    method: "post",
    path: "/api/memories/search",
    operation: "searchMemories",
    tag: "Memories",
    summary: "Search memories",
    scopes: ["memories:read"],
    body: inputOf(searchMemoryBy),
    answers: { 200: answers.memoryHits },
  },
  {
    method: "post",
    path: "/api/memories/list",
    operation: "listMemoriesBy",
    tag: "Memories",
    summary: "Page through memories by tag, project or client",
    scopes: ["memories:read"],
    body: memoryListSchema,
    answers: { 200: answers.memoryPage },
  },
  {
    method: "get",
    path: "/api/memories/labels",
    operation: "listLabels",
    tag: "Memories",
    summary: "Tags and projects in use, the most used first",
    scopes: ["memories:read"],
    answers: { 200: answers.memoryLabels },
  },
  {
    method: "post",
    path: "/api/memories/change",
    operation: "changeMemories",
    tag: "Memories",
    summary: "Trash, restore, approve or tag several memories, as one operation",
    description:
      '`{"status": "trashed"}` needs `memories:delete` too. Approving needs a session, or a token that its maker trusted.',
    scopes: ["memories:write"],
    body: memoryChangeSchema,
    answers: { 200: answers.changedMemories },
  },
  {
    method: "get",
    path: "/api/memories/{id}/versions",
    operation: "listVersions",
    tag: "Memories",
    summary: "What a memory said, since when, and who changed it",
    scopes: ["memories:read"],
    query: memoryStatesSchema,
    answers: { 200: answers.memoryStates },
  },
  {
    method: "get",
    path: "/api/memories/{id}",
    operation: "getMemory",
    tag: "Memories",
    summary: "Get a memory",
    scopes: ["memories:read"],
    query: inputOf(getMemory, "id"),
    answers: { 200: answers.memoryWithVersions },
  },
  {
    method: "patch",
    path: "/api/memories/{id}",
    operation: "updateMemory",
    tag: "Memories",
    summary: "Change a memory, restore it, or approve it",
    description: '`{"status": "trashed"}` needs `memories:delete` too.',
    scopes: ["memories:write"],
    body: inputOf(updateMemory, "id"),
    answers: { 200: answers.changedMemory },
  },
  {
    method: "delete",
    path: "/api/memories/{id}",
    operation: "deleteMemory",
    tag: "Memories",
    summary: "Move a memory to the trash",
    scopes: ["memories:delete"],
    query: inputOf(deleteMemory, "id"),
    answers: { 200: answers.deletedMemory },
  },
  {
    method: "get",
    path: "/api/conversations",
    operation: "listConversations",
    tag: "Conversations",
    summary: "Page through imported conversations",
    scopes: ["conversations:read"],
    query: z.object({ ...inputOf(listConversations).shape, status: listedStatus }),
    answers: { 200: answers.conversationPage },
  },
  {
    method: "post",
    path: "/api/conversations/search",
    operation: "searchConversations",
    tag: "Conversations",
    summary: "Search what was said",
    scopes: ["conversations:read"],
    body: inputOf(searchConversations),
    answers: { 200: answers.messageHits },
  },
  {
    method: "get",
    path: "/api/conversations/{id}",
    operation: "getConversation",
    tag: "Conversations",
    summary: "Read a conversation, page by page",
    scopes: ["conversations:read"],
    query: inputOf(getConversation, "id"),
    answers: { 200: answers.messagePage },
  },
  {
    method: "get",
    path: "/api/conversations/{id}/messages",
    operation: "getMessages",
    tag: "Conversations",
    summary: "Messages of a conversation by their positions, each whole",
    description: "Fewer than `limit` where they are long: go on behind the last one, up to `end`.",
    scopes: ["conversations:read"],
    query: stretchSchema,
    answers: { 200: answers.messageStretch },
  },
  {
    method: "post",
    path: "/api/conversations/{id}/search",
    operation: "searchConversation",
    tag: "Conversations",
    summary: "Search one conversation",
    scopes: ["conversations:read"],
    body: searchSchema,
    answers: { 200: answers.messagesFound },
  },
  {
    method: "delete",
    path: "/api/conversations/{id}",
    operation: "deleteConversation",
    tag: "Conversations",
    summary: "Move a conversation to the trash",
    scopes: ["conversations:read", "memories:delete"],
    answers: { 200: answers.deletedConversation },
  },
  {
    method: "post",
    path: "/api/conversations/delete",
    operation: "deleteConversations",
    tag: "Conversations",
    summary: "Move several conversations to the trash, as one operation",
    scopes: ["conversations:read", "memories:delete"],
    body: idsSchema,
    answers: { 200: answers.deletedConversations },
  },
  {
    method: "post",
    path: "/api/conversations/restore",
    operation: "restoreConversations",
    tag: "Conversations",
    summary: "Take several conversations out of the trash, as one operation",
    scopes: ["conversations:read", "memories:delete"],
    body: idsSchema,
    answers: { 200: answers.restoredConversations },
  },
  {
    method: "post",
    path: "/api/conversations/{id}/restore",
    operation: "restoreConversation",
    tag: "Conversations",
    summary: "Take a conversation out of the trash",
    scopes: ["conversations:read", "memories:delete"],
    answers: { 200: answers.restoredConversation },
  },
  {
    method: "get",
    path: "/api/stats",
    operation: "getStats",
    tag: "Account",
    summary: "What is stored, in numbers",
    scopes: ["memories:read"],
    answers: { 200: answers.stats },
  },
  {
    method: "get",
    path: "/api/timeline",
    operation: "getTimeline",
    tag: "Account",
    summary: "Memories and messages by day",
    description:
      "Of the last days, in the person's time zone: memories in use on the day that they came, messages on the day that their conversation began, both by source. Days without any are left out.",
    scopes: ["memories:read"],
    query: timelineSchema,
    answers: { 200: answers.timeline },
  },
  {
    method: "get",
    path: "/api/rules",
    operation: "getRules",
    tag: "Account",
    summary: "Read the memory rules",
    description: "`blocked_tags` are the person's words, and need `memories:read`.",
    scopes: [],
    answers: { 200: answers.rulesAnswer },
  },
  {
    method: "patch",
    path: "/api/rules",
    operation: "changeRules",
    tag: "Account",
    summary: "Change memory rules",
    description: "Null resets a rule.",
    scopes: [],
    needs: "Needs a session, or a token that its maker trusted.",
    body: nullable(ruleSettingsSchema()),
    answers: { 200: answers.rulesAnswer },
  },
  {
    method: "post",
    path: "/api/rules/effects",
    operation: "previewRules",
    tag: "Account",
    summary: "What the memory rules are about now, in numbers",
    description:
      "With what is sent in place of the rules that hold, as for `PATCH /api/rules`; nothing is changed. `{}`: of the rules as they are.",
    scopes: ["memories:read"],
    body: nullable(ruleSettingsSchema()),
    answers: { 200: answers.ruleEffects },
  },
  {
    method: "get",
    path: "/api/exports",
    operation: "listExports",
    tag: "Transfer",
    summary: "Exports that run, failed or can be downloaded, the newest first",
    scopes: ["data:export"],
    answers: { 200: answers.exportList },
  },
  {
    method: "post",
    path: "/api/exports",
    operation: "exportData",
    tag: "Transfer",
    summary: "Export memories and conversations",
    description:
      "A small one is answered itself. Of a larger one ask for the job until its download is there.",
    scopes: ["data:export"],
    body: inputOf(exportData, "job_id"),
    answers: { 200: answers.exported },
  },
  {
    method: "get",
    path: "/api/exports/{id}",
    operation: "getExport",
    tag: "Transfer",
    summary: "How an export stands",
    scopes: ["data:export"],
    answers: { 200: answers.exported },
  },
  {
    method: "get",
    path: "/api/downloads/{id}",
    operation: "downloadExport",
    tag: "Transfer",
    summary: "The file of a finished export",
    scopes: ["data:export"],
    answers: { 200: "application/octet-stream" },
  },
  {
    method: "post",
    path: "/api/imports",
    operation: "importFiles",
    tag: "Transfer",
    summary: "Import a file, or several as form fields called `files`; at most 25 MiB",
    scopes: ["data:import"],
    query: importFilesSchema,
    files: ["application/octet-stream", "multipart/form-data"],
    answers: { 200: answers.importedOrChecked },
  },
  {
    method: "get",
    path: "/api/imports",
    operation: "listImports",
    tag: "Transfer",
    summary: "Page through imports with their reports, the newest first",
    scopes: ["data:import"],
    query: importListSchema,
    answers: { 200: answers.importList },
  },
  {
    method: "get",
    path: "/api/imports/{id}",
    operation: "getImport",
    tag: "Transfer",
    summary: "How an import stands",
    scopes: ["data:import"],
    answers: { 200: answers.imported },
  },
  {
    method: "post",
    path: "/api/imports/begin",
    operation: "beginImport",
    tag: "Transfer",
    summary: "Begin an import in batches, or go on with one of the same files",
    scopes: ["data:import"],
    body: IMPORTS.upload,
    answers: { 200: answers.begunImport },
  },
  {
    method: "post",
    path: "/api/imports/{id}/batches",
    operation: "sendBatch",
    tag: "Transfer",
    summary: "Send the next batch",
    scopes: ["data:import"],
    body: IMPORTS.batch,
    answers: { 200: answers.imported },
  },
  {
    method: "post",
    path: "/api/imports/check",
    operation: "checkRecords",
    tag: "Transfer",
    summary: "What an import of these records would do",
    scopes: ["data:import"],
    body: IMPORTS.check,
    answers: { 200: answers.checkedRecords },
  },
  {
    method: "post",
    path: "/api/imports/restore",
    operation: "beginRestore",
    tag: "Transfer",
    summary: "Begin the restore of an archive into an empty account",
    scopes: ["data:import"],
    query: z.object({ dry_run: z.string().optional().describe("Given: only report") }),
    body: IMPORTS.archive,
    answers: { 200: answers.begunRestore },
  },
  {
    method: "post",
    path: "/api/imports/{id}/lines",
    operation: "sendLines",
    tag: "Transfer",
    summary: "Send the next lines of an archive",
    scopes: ["data:import"],
    body: IMPORTS.lines,
    answers: { 200: answers.imported },
  },
  {
    method: "post",
    path: "/api/imports/{id}/finish",
    operation: "finishImport",
    tag: "Transfer",
    summary: "End an import",
    scopes: ["data:import"],
    answers: { 200: answers.imported },
  },
  {
    method: "post",
    path: "/api/imports/{id}/cancel",
    operation: "cancelImport",
    tag: "Transfer",
    summary: "Cancel an import",
    scopes: ["data:import"],
    answers: { 200: answers.imported },
  },
  {
    method: "post",
    path: "/api/sync/begin",
    operation: "beginSync",
    tag: "Sync",
    summary: "Begin to write items as another Cofio has them",
    description:
      "For the person and tokens that they trust: nothing of it is held against the rules.",
    scopes: ["data:import"],
    body: SYNC.begin,
    answers: { 200: answers.begunSync },
  },
  {
    method: "get",
    path: "/api/sync/memories",
    operation: "listMemoriesToSync",
    tag: "Sync",
    summary: "What memories there are, without text",
    scopes: ["data:export"],
    query: SYNC.page,
    answers: { 200: answers.syncPage },
  },
  {
    method: "get",
    path: "/api/sync/conversations",
    operation: "listConversationsToSync",
    tag: "Sync",
    summary: "What conversations there are, without text",
    scopes: ["data:export"],
    query: SYNC.page,
    answers: { 200: answers.syncPage },
  },
  {
    method: "post",
    path: "/api/sync/lines",
    operation: "readLines",
    tag: "Sync",
    summary: "Items with their earlier states, as lines of an archive",
    scopes: ["data:export"],
    body: SYNC.lines,
    answers: { 200: answers.syncLines },
  },
  {
    method: "post",
    path: "/api/sync/write",
    operation: "writeItems",
    tag: "Sync",
    summary: "Write items exactly, each only at the version that it was seen at",
    description: "For the person and tokens that they trust.",
    scopes: ["data:import"],
    body: SYNC.write,
    answers: { 200: answers.syncWritten },
  },
  {
    method: "post",
    path: "/api/memory-tool",
    operation: "runMemoryCommand",
    tag: "Memory tool",
    summary: "Run a command of Claude's memory tool",
    description:
      "The input as the model made it. What went wrong is told to the model: `is_error`.",
    scopes: [],
    needs:
      "`view` needs `memories:read`, `delete` `memories:delete`, every other command `memories:write`.",
    body: memoryCommandSchema(),
    answers: { 200: answers.toolResult },
  },
  {
    method: "get",
    path: "/api/operations",
    operation: "listOperations",
    tag: "Undo",
    summary: "What was done, the latest first",
    scopes: ["memories:read"],
    query: listSchema,
    answers: { 200: answers.operationPage },
  },
  {
    method: "get",
    path: "/api/operations/clients",
    operation: "listOperationClients",
    tag: "Undo",
    summary: "Which apps changed something, the latest first",
    scopes: ["memories:read"],
    answers: { 200: answers.clientList },
  },
  {
    method: "post",
    path: "/api/operations/{id}/undo",
    operation: "undoOperation",
    tag: "Undo",
    summary: "Undo an operation",
    scopes: UNDO,
    answers: { 200: answers.undone },
  },
  {
    method: "post",
    path: "/api/undo",
    operation: "undoClient",
    tag: "Undo",
    summary: "Undo all that one app did since a time",
    scopes: UNDO,
    body: undoSchema,
    answers: { 200: answers.undoneOfClient },
  },
  {
    method: "post",
    path: "/api/undo/preview",
    operation: "previewUndo",
    tag: "Undo",
    summary: "What one app did since a time, in numbers, before it is undone",
    scopes: ["memories:read"],
    body: previewSchema,
    answers: { 200: answers.undoPreview },
  },
  {
    method: "get",
    path: "/api/backups",
    operation: "listBackups",
    tag: "Backups",
    summary: "Which backups there are",
    scopes: ["data:export"],
    answers: { 200: answers.backupList },
  },
  {
    method: "post",
    path: "/api/backups",
    operation: "createBackup",
    tag: "Backups",
    summary: "Make a backup",
    scopes: ["data:export"],
    answers: { 202: answers.oneBackup },
  },
  {
    method: "get",
    path: "/api/backups/{id}",
    operation: "getBackup",
    tag: "Backups",
    summary: "How a backup stands",
    scopes: ["data:export"],
    answers: { 200: answers.oneBackup },
  },
  {
    method: "delete",
    path: "/api/backups/{id}",
    operation: "deleteBackup",
    tag: "Backups",
    summary: "Remove a backup",
    scopes: ["data:export", "memories:delete"],
    answers: { 200: answers.deletedBackup },
  },
  {
    method: "post",
    path: "/api/backups/{id}/rehearse",
    operation: "rehearseBackup",
    tag: "Backups",
    summary: "Verify a backup by restoring it into a scratch database",
    scopes: ["data:export"],
    answers: { 202: answers.oneBackup },
  },
  {
    method: "post",
    path: "/api/backups/{id}/restore",
    operation: "restoreBackup",
    tag: "Backups",
    summary: "Restore a backup",
    scopes: RESTORE,
    body: restoreSchema,
    answers: { 202: answers.oneRestore },
  },
  {
    method: "get",
    path: "/api/restores/{id}",
    operation: "getRestore",
    tag: "Backups",
    summary: "How a restore stands",
    scopes: ["data:import"],
    answers: { 200: answers.oneRestore },
  },
  {
    method: "get",
    path: "/api/verify",
    operation: "getIntegrityCheck",
    tag: "Backups",
    summary: "What the last integrity check found, or how far the one that runs has come",
    scopes: ["memories:read"],
    answers: { 200: answers.lastCheck },
  },
  {
    method: "post",
    path: "/api/verify",
    operation: "checkIntegrity",
    tag: "Backups",
    summary: "Check that rows, versions, index, labels, counters and operations agree",
    description:
      "Does a part of it, and is to be asked again until `state` is `finished`; then it begins anew. What is derived (index, labels, counters) is repaired; what is not is named and left. No answer holds text.",
    scopes: ["memories:write"],
    answers: { 200: answers.oneCheck },
  },
];

/** What a tool takes, without what stands in the path or is not for this route. A page of the API is as long as its limit says. */
function inputOf({ name, input }: Tool, ...left: readonly string[]): z.ZodObject {
  if (!(input instanceof z.ZodObject)) throw new Error(`${name} takes no object`);
  const fields = Object.entries(input.shape).filter(([field]) => !left.includes(field));
  const named: Record<string, z.core.$ZodType> = Object.fromEntries(fields);
  if (named["max_tokens"] !== undefined) {
    named["max_tokens"] = z.int().optional().describe(`Of text; ${MAX_TOKENS} if not given`);
  }
  return z.object(named);
}

function nullable(settings: z.ZodObject): z.ZodObject {
  const fields = Object.entries(settings.shape).map(([name, setting]) => [
    name,
    z.nullable(setting).optional(),
  ]);
  return z.object(Object.fromEntries(fields));
}
