import type { CreateInput, CreateOutcome } from "../storage/memories.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import type { SealedText } from "../storage/room.ts";
import { openExcerpt } from "./limit.ts";
import { rootsToken } from "./memory.ts";
import type { RuleNote } from "./rules.ts";

export type NewMemory = Omit<CreateInput, "limit" | "makeRoom">;

/** Writes a new row as the rules about a full account have it. */
export async function createWithinLimit(
  at: OpenAccount,
  input: NewMemory,
  operationId: string,
  { grantId, client, now }: Caller,
): Promise<CreateOutcome> {
  const { maxMemories: limit, whenFull } = at.rules;
  // What is not approved yet takes nobody's place.
  const mayMakeRoom = whenFull === "trash_least_useful" && input.row.status === "active";
  const room = mayMakeRoom ? { roots: await rootsToken(at.keys) } : null;
  // Making room costs five statements more: it is tried first only where it will probably be needed.
  const looksFull = at.row.memoriesActive + at.row.memoriesPending >= limit;
  const attempt = (makeRoom: CreateInput["makeRoom"]) =>
    at.memories.create({ ...input, limit, makeRoom }, { id: operationId, grantId, client, now });
  const outcome = await attempt(looksFull ? room : null);
  return outcome.outcome === "full" && room !== null && !looksFull ? attempt(room) : outcome;
}

/** That a memory made room. */
export async function trashedNote(at: OpenAccount, trashed: SealedText): Promise<RuleNote> {
  const { id } = trashed;
  return {
    rule: "when_full",
    action: "trashed",
    message: `${id} went to the trash to make room, because the user's rules allow ${at.rules.maxMemories} memories; update_memory with status "active" takes it out again.`,
    memory: { id, content: await openExcerpt(at, trashed) },
  };
}
