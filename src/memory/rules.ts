/** What the memory rules do to a text that is to be stored, and the sentences that say so wherever one of them acts. */
import { UserError } from "../errors.ts";
import type { Category } from "../storage/closed-lists.ts";
import type { Caller } from "../storage/open-account.ts";
import type { MemoryRules, RuleName } from "../storage/rules.ts";
import { foldName } from "../vault/blind.ts";
import { cleanTag, type MemoryText, type StoreFacts } from "./memory.ts";
import { maskSecrets } from "./secrets.ts";

/** That a rule has acted, in words for the person. */
export interface RuleNote {
  readonly rule: RuleName;
  /** What was done, as a stable word. */
  readonly action: string;
  /** One sentence: what happened, and how to have it otherwise. Holds no stored text. */
  readonly message: string;
  /** The memory that it happened to, where that is not the one that was saved. */
  readonly memory?: { readonly id: string; readonly content: string };
}

const DAY_MS = 86_400_000;

/** Whether a save has to wait for the person. What they save themselves never does, nor what they asked for. */
export function mustWait(
  { autoSave }: MemoryRules,
  save: { readonly category: Category; readonly userAsked: boolean },
  caller: Caller,
): boolean {
  if (caller.source === "dashboard" || save.userAsked || autoSave === "all") return false;
  return !autoSave.includes(save.category);
}

export function waitingNote({ autoSave }: MemoryRules): RuleNote {
  return {
    rule: "auto_save",
    action: "pending",
    message:
      autoSave === "all"
        ? "It waits for the user's approval as it did before, and is not found until then."
        : `It waits for the user's approval and is not found until then, because assistants save on their own only ${allowed(autoSave)}; if the user asked for it, save it again with user_asked.`,
  };
}

/** In words, for a sentence. */
export function allowed(autoSave: MemoryRules["autoSave"]): string {
  if (autoSave === "all") return "anything";
  return autoSave.length === 0 ? "what the user asks for" : `in ${autoSave.join(", ")}`;
}

export function twinNote(id: string): RuleNote {
  return {
    rule: "deduplication",
    action: "reported",
    message: `${id} says exactly this already, and both are kept by the user's rules; delete_memory one of them if that is not meant.`,
  };
}

/** Null: none by the rules. @param from milliseconds UTC */
export function expiryByRule(
  { expireAfter }: MemoryRules,
  category: Category,
  from: number,
): number | null {
  const days = expireAfter[category];
  return days === undefined ? null : from + days * DAY_MS;
}

export function expiryNote({ expireAfter }: MemoryRules, category: Category): RuleNote {
  return {
    rule: "expire_after",
    action: "expires",
    message: `It expires ${expireAfter[category]} days from now, as memories in ${category} do by the user's rules; update_memory with another expires_at, or "never", changes that.`,
  };
}

/** Null: none of them is blocked. */
export function refuseTags(
  { blockedTags }: MemoryRules,
  tags: readonly string[] = [],
): UserError | null {
  const blocked = new Set(blockedTags.map(foldTag));
  const tag = tags.find((name) => blocked.has(foldTag(name)));
  if (tag === undefined) return null;
  return new UserError(
    "invalid_input",
    `Nothing is stored under the tag "${tag}": the user has blocked it.`,
    "Tell the user that it was not saved. Only they can change that, in the rule blocked_tags.",
    { rule: "blocked_tags" satisfies RuleName },
  );
}

/** The fields of a text that someone sends; those that are not there are not sent. */
export type SentText = {
  readonly [Field in "content" | "tags" | "project" | "askedAs" | "store"]?:
    | MemoryText[Field]
    | undefined;
};

export interface CheckedText<Text extends SentText> {
  /** Without the secrets, if they are to be masked. */
  readonly text: Text;
  readonly notes: readonly RuleNote[];
  /** What the person's rules have against it. Not thrown, because a retry of what was accepted is answered all the same. */
  readonly refusal: UserError | null;
}

/** Applies the rules about blocked tags and secrets to a text that is new. */
export async function checkText(
  rules: MemoryRules,
  text: MemoryText,
): Promise<CheckedText<MemoryText>> {
  const checked = await checkSecrets(rules, text);
  return { ...checked, refusal: refuseTags(rules, text.tags) ?? checked.refusal };
}

export async function checkSecrets<Text extends SentText>(
  rules: MemoryRules,
  text: Text,
): Promise<CheckedText<Text>> {
  if (rules.secrets === "allow") return { text, notes: [], refusal: null };
  const { text: masked, kinds } = await withoutSecrets(text);
  if (kinds.length === 0) return { text, notes: [], refusal: null };
  if (rules.secrets === "refuse") return { text: masked, notes: [], refusal: secretRefusal(kinds) };
  return {
    text: masked,
    notes: [
      {
        rule: "secrets",
        action: "masked",
        message: `Removed before storing: ${kinds.join(", ")}; the rule secrets says so, and only the user can change it.`,
      },
    ],
    refusal: null,
  };
}

/** A path is what its file is found by, so nothing in it is masked. Null: it holds no secret that the rules keep out. */
export async function refusePath(rules: MemoryRules, path: string): Promise<UserError | null> {
  if (rules.secrets === "allow") return null;
  const { kinds } = await maskSecrets(path);
  if (kinds.length === 0) return null;
  return new UserError(
    "invalid_input",
    `The path holds a secret (${kinds.join(", ")}), and the user's rules keep those out.`,
    "Choose another path. Only the user can change that, in the rule secrets.",
    { rule: "secrets" satisfies RuleName },
  );
}

/** Every field of a text without its secrets, and what they were. */
async function withoutSecrets<Text extends SentText>(
  text: Text,
): Promise<{ readonly text: Text; readonly kinds: readonly string[] }> {
  const kinds = new Set<string>();
  const mask = async (field: string): Promise<string> => {
    const masked = await maskSecrets(field);
    for (const kind of masked.kinds) kinds.add(kind);
    return masked.text;
  };
  const maskAll = (fields: readonly string[]) => Promise.all(fields.map(mask));
  const maskPairs = async ({ metadata }: StoreFacts) =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(metadata).map(async ([key, value]) => [await mask(key), await mask(value)]),
      ),
    ) as StoreFacts["metadata"]; // true because a pair of texts is made of each
  const { content, tags, project, askedAs, store } = text;
  const masked: Text = {
    ...text,
    ...(content === undefined ? {} : { content: await mask(content) }),
    ...(tags === undefined ? {} : { tags: await maskAll(tags) }),
    ...(project === undefined ? {} : { project: await mask(project) }),
    ...(askedAs === undefined ? {} : { askedAs: await maskAll(askedAs) }),
    ...(store === undefined ? {} : { store: { ...store, metadata: await maskPairs(store) } }),
  };
  return { text: masked, kinds: [...kinds] };
}

function secretRefusal(kinds: readonly string[]): UserError {
  return new UserError(
    "invalid_input",
    `It holds a secret (${kinds.join(", ")}), and the user's rules refuse those.`,
    "Save it without the secret. Only the user can change that, in the rule secrets.",
    { rule: "secrets" satisfies RuleName },
  );
}

/** As `labelToken` folds the name of a tag: what would share its token is the same tag. */
function foldTag(tag: string): string {
  return foldName(cleanTag(tag));
}
