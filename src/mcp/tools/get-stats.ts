import * as z from "zod";
import { finishedCheck, readCheck } from "../../integrity/check.ts";
import { accountStats } from "../../memory/stats.ts";
import { changedSettings, effectiveSettings } from "../../storage/rules.ts";
import { compact, iso } from "../answers.ts";
import { defineTool } from "../tool.ts";

export const getStats = defineTool({
  name: "get_stats",
  title: "Get statistics",
  description:
    "How much is stored: memories by status, category, source, client and month, conversations, bytes, top tags, last export and backups. A good first call to see that the connection works.",
  input: z.object({}),
  aliases: {},
  output: {
    memories: "object",
    conversations: "object",
    bytes: "number",
    top_tags: "array",
    quota: "object",
    rules: "object",
    last_export_at: "string",
    last_backup_at: "string",
    last_verified_backup_at: "string",
    backup_problem: "string",
    last_check: "object",
    time_zone: "string",
  },
  annotations: {
    readOnlyHint: true,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  },
  scope: "memories:read",

  async run(_input, { account }) {
    const stats = await accountStats(account);
    const { memories, conversations } = stats;
    const { maxBytes } = account.limits;
    const last = finishedCheck(readCheck(account.row.integrity));
    const lastCheck =
      last === null ? null : { at: iso(last.finishedAt), repaired: last.repaired, left: last.left };
    const changed = changedSettings(account.ruleSources);
    return {
      structured: compact({
        memories: {
          active: memories.active,
          pending: memories.pending,
          trashed: memories.trashed,
          by_category: memories.byCategory,
          by_source: memories.bySource,
          by_client: memories.byClient,
          by_month: memories.byMonth,
        },
        conversations: {
          total: conversations.total,
          messages: conversations.messages,
          by_platform: conversations.byPlatform,
        },
        bytes: stats.bytes,
        top_tags: stats.topTags,
        quota: {
          memories_used: memories.active + memories.pending,
          memories_limit: account.rules.maxMemories,
          ...(maxBytes === null ? {} : { bytes_used: stats.bytes, bytes_limit: maxBytes }),
        },
        rules: effectiveSettings(account.ruleSources),
        last_export_at: iso(stats.lastExportAt),
        last_backup_at: iso(stats.lastBackupAt),
        last_verified_backup_at: iso(stats.lastVerifiedBackupAt),
        backup_problem: stats.backupProblem,
        last_check: lastCheck,
        time_zone: account.timeZone,
      }),
      text: [
        `${memories.active} memories (${memories.pending} pending, ${memories.trashed} in the trash), ${conversations.total} conversations with ${conversations.messages} messages, ${stats.bytes} bytes${maxBytes === null ? "" : ` of at most ${maxBytes}`}.`,
        ...(stats.topTags.length === 0
          ? []
          : [`Top tags: ${stats.topTags.map(({ tag, count }) => `${tag} (${count})`).join(", ")}`]),
        ...(changed.length === 0
          ? []
          : [
              `Rules: ${changed.map(([name, value]) => `${name} = ${JSON.stringify(value)}`).join(", ")}`,
            ]),
        ...(stats.lastBackupAt === null
          ? []
          : [
              `Last backup ${iso(stats.lastBackupAt)}, last verified ${iso(stats.lastVerifiedBackupAt) ?? "never"}.`,
            ]),
        ...(lastCheck === null
          ? []
          : [
              `Last integrity check ${lastCheck.at}: ${lastCheck.repaired} repaired, ${lastCheck.left} that nothing could repair.`,
            ]),
        ...(stats.backupProblem === null ? [] : [`Backup problem: ${stats.backupProblem}`]),
      ].join("\n"),
    };
  },
});
