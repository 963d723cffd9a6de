/** What is said where there is no room for another memory. */
import { UserError } from "../errors.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import type { RuleName } from "../storage/rules.ts";
import { openText, rootsToken } from "./memory.ts";

export interface FullAccount {
  readonly outcome: "full";
  readonly limit: number;
  /** At most three, the one that would be missed least first. */
  readonly leastUseful: readonly { readonly id: string; readonly content: string }[];
}

/** Enough to recognise a memory by; arbitrary. */
const EXCERPT_CHARS = 160;

export async function describeFull(at: OpenAccount, now: number): Promise<FullAccount> {
  const rows = await at.memories.leastUseful(now, await rootsToken(at.keys));
  return {
    outcome: "full",
    limit: at.rules.maxMemories,
    leastUseful: await Promise.all(
      rows.map(async (row) => ({ id: row.id, content: await openExcerpt(at, row) })),
    ),
  };
}

export async function openExcerpt(
  at: OpenAccount,
  row: Parameters<typeof openText>[1],
): Promise<string> {
  const { content } = await openText(at.keys, row);
  return content.length > EXCERPT_CHARS
    ? `${content.slice(0, EXCERPT_CHARS).toWellFormed()}…`
    : content;
}

/**
 * @param mayRead whether the client may see memories that it did not name
 * @param supersedes the memory that the save was to replace, which can be corrected in its place
 */
export function limitRefusal(
  { limit, leastUseful }: FullAccount,
  { mayRead, supersedes }: { readonly mayRead: boolean; readonly supersedes?: string | undefined },
): UserError {
  const correct =
    supersedes === undefined
      ? "update_memory takes no room"
      : `update_memory on ${supersedes} takes no room and keeps the earlier text as a version`;
  return new UserError(
    "limit_reached",
    `There are ${limit} memories, which is the most that the user's rules allow; superseded and expired ones count too.`,
    `Ask the user what may go and delete_memory it${mayRead ? ", for example one of these" : ""}, or correct an existing memory: ${correct}. The user can raise max_memories.`,
    {
      rule: "max_memories" satisfies RuleName,
      ...(mayRead ? ({ least_useful: leastUseful } satisfies LimitDetails) : {}),
    },
  );
}

/** What a limit_reached carries. */
export interface LimitDetails {
  readonly least_useful?: FullAccount["leastUseful"];
}
