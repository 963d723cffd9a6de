/**
 * Memory rules as they are written down: a deployment's defaults (`MEMORY_RULES`) and a person's own. Parsed at the edges, put
 * together here; what each of them does stands in `memory/rules.ts`.
 */
import * as z from "zod";
import type { Keys } from "../vault/keys.ts";
import { openJson, sealJson } from "../vault/seal.ts";
import { CATEGORIES, type Category } from "./closed-lists.ts";
import {
  MAX_BLOCKED_TAG,
  MAX_BLOCKED_TAGS,
  MAX_EXPIRY_DAYS,
  MAX_MAX_MEMORIES,
} from "./rule-limits.ts";

/** What a request follows. */
export interface MemoryRules {
  /** Categories in which assistants may save on their own; what they save in others waits for the person. */
  readonly autoSave: "all" | readonly Category[];
  /** Active and pending ones, superseded and expired ones among them. */
  readonly maxMemories: number;
  readonly whenFull: "refuse" | "trash_least_useful";
  readonly deduplication: "on" | "report" | "off";
  /** 0 to 1: the least relevance of a hit where a search does not say. */
  readonly relevanceThreshold: number;
  /** Days. */
  readonly expireAfter: Readonly<Partial<Record<Category, number>>>;
  /** The status of imported memories. */
  readonly imports: "active" | "pending";
  readonly secrets: "mask" | "refuse" | "allow";
  readonly blockedTags: readonly string[];
}

/** Some of the rules, under the names that people write. */
export type RuleSettings = Partial<AllRuleSettings>;
export type RuleName = keyof AllRuleSettings;
type AllRuleSettings = Readonly<z.output<ReturnType<typeof ruleSettingsSchema>>>;

/** Where the rules of a request come from. */
export interface RuleSources {
  /** The deployment's, complete. */
  readonly defaults: AllRuleSettings;
  /** What the person set instead. */
  readonly own: RuleSettings;
}

/** The two columns of `accounts`: numbers and enums in the clear, words as ciphertext (hex). */
export interface StoredRules {
  readonly rules: string | null;
  readonly ruleWords: string | null;
}

const DEDUPLICATION = ["on", "report", "off"] as const;

/** Not at module scope: making it takes milliseconds of every isolate's start, and hardly any isolate needs it. */
export function ruleSettingsSchema() {
  return z.strictObject({
    auto_save: z.union([z.literal("all"), z.array(z.enum(CATEGORIES)).max(CATEGORIES.length)]),
    max_memories: z.int().min(1).max(MAX_MAX_MEMORIES),
    when_full: z.enum(["refuse", "trash_least_useful"]),
    deduplication: z.preprocess(
      (value) => (value === true ? "on" : value === false ? "off" : value),
      z.enum(DEDUPLICATION),
    ),
    relevance_threshold: z.number().min(0).max(1),
    expire_after: z.partialRecord(z.enum(CATEGORIES), z.int().min(1).max(MAX_EXPIRY_DAYS)),
    imports: z.enum(["active", "pending"]),
    secrets: z.enum(["mask", "refuse", "allow"]),
    blocked_tags: z.array(z.string().trim().min(1).max(MAX_BLOCKED_TAG)).max(MAX_BLOCKED_TAGS),
  });
}

let schema: ReturnType<ReturnType<typeof ruleSettingsSchema>["partial"]> | undefined;

/** What to write instead of a value that cannot be used. */
const WANTED: Readonly<Record<RuleName, string>> = {
  auto_save: `"all", or a list of ${CATEGORIES.join(", ")}`,
  max_memories: `a whole number from 1 to ${MAX_MAX_MEMORIES}`,
  when_full: '"refuse" or "trash_least_useful"',
  deduplication: '"on", "report" or "off"',
  relevance_threshold: "a number from 0 to 1",
  expire_after: `whole days by category, such as {"events": 90}; categories are ${CATEGORIES.join(", ")}`,
  imports: '"active" or "pending"',
  secrets: '"mask", "refuse" or "allow"',
  blocked_tags: `a list of at most ${MAX_BLOCKED_TAGS} words`,
};

// True because WANTED has exactly the rules as its keys.
export const RULE_NAMES = Object.keys(WANTED) as readonly RuleName[];

const BUILT_IN: AllRuleSettings = {
  auto_save: "all",
  max_memories: 10_000,
  when_full: "refuse",
  deduplication: "on",
  relevance_threshold: 0,
  expire_after: {},
  imports: "active",
  secrets: "mask",
  blocked_tags: [],
};

export type ReadSettings =
  | {
      readonly outcome: "read";
      readonly settings: RuleSettings;
      /** Rules that were given as null. */
      readonly resets: readonly RuleName[];
    }
  | { readonly outcome: "refused"; readonly problem: string; readonly wanted: string };

/** Reads settings that someone wrote: an object of rules, or one under `memory_rules` as other servers have it. */
export function readSettings(value: unknown): ReadSettings {
  const given = unwrapped(value);
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return {
      outcome: "refused",
      problem: "The rules are not a JSON object.",
      wanted: 'Write them as {"max_memories": 10000}.',
    };
  }
  const unknown = Object.keys(given).find((name) => !isRuleName(name));
  if (unknown !== undefined) {
    return {
      outcome: "refused",
      problem: `There is no rule called ${JSON.stringify(unknown.slice(0, 60))}.`,
      wanted: `The rules are ${RULE_NAMES.join(", ")}.`,
    };
  }
  const entries = Object.entries(given);
  schema ??= ruleSettingsSchema().partial();
  const parsed = schema.safeParse(
    Object.fromEntries(entries.filter(([, setting]) => setting !== null)),
  );
  if (!parsed.success) {
    const name = RULE_NAMES.find((rule) => rule === parsed.error.issues[0]?.path[0]);
    if (name === undefined) throw new Error("A rule was refused without a name");
    return {
      outcome: "refused",
      problem: `\`${name}\` cannot be used as it was given.`,
      wanted: `Give ${WANTED[name]}.`,
    };
  }
  return {
    outcome: "read",
    // True because JSON has no undefined, so what is there has a value.
    settings: parsed.data as RuleSettings,
    resets: entries.flatMap(([name, setting]) =>
      setting === null && isRuleName(name) ? [name] : [],
    ),
  };
}

/** The last value that was parsed: every request asks, and a deployment's variable never changes within an isolate. */
let lastParsed: { readonly value: unknown; readonly settings: RuleSettings } | undefined;

/**
 * Reads `MEMORY_RULES`. Empty: none.
 * @param value JSON text, or the object that a JSON variable of wrangler.jsonc becomes
 * @throws Error that names the variable: rules that were meant to hold and do not are worse than a server that stands still.
 */
export function deploymentRules(value: unknown): RuleSettings {
  if (value === undefined || value === null || value === "") return {};
  if (lastParsed !== undefined && lastParsed.value === value) return lastParsed.settings;
  const read = readSettings(parseJson(value));
  if (read.outcome === "refused") {
    throw new Error(`MEMORY_RULES cannot be used. ${read.problem} ${read.wanted}`);
  }
  lastParsed = { value, settings: read.settings };
  return read.settings;
}

export async function openRules(
  keys: Keys,
  stored: StoredRules,
  deployment: RuleSettings,
): Promise<{ readonly rules: MemoryRules; readonly ruleSources: RuleSources }> {
  const ruleSources = {
    defaults: { ...BUILT_IN, ...deployment },
    own: {
      // True because `sealRules` writes what the schema let through.
      ...(stored.rules === null ? {} : (JSON.parse(stored.rules) as RuleSettings)),
      // SQLite's hex() of NULL is an empty string.
      ...(stored.ruleWords === null || stored.ruleWords === ""
        ? {}
        : await openJson<RuleSettings>(keys, SEALED_AS, stored.ruleWords)),
    },
  };
  return { rules: rulesOf(effectiveSettings(ruleSources)), ruleSources };
}

/** Only `blocked_tags` holds a person's words. */
export async function sealRules(keys: Keys, own: RuleSettings): Promise<StoredRules> {
  const { blocked_tags, ...rest } = own;
  return {
    rules: Object.keys(rest).length === 0 ? null : JSON.stringify(rest),
    ruleWords:
      blocked_tags === undefined ? null : await sealJson(keys, SEALED_AS, { blocked_tags }),
  };
}

export function effectiveSettings({ defaults, own }: RuleSources): AllRuleSettings {
  return { ...defaults, ...own };
}

/** Rules that are not what they are without anyone's doing. */
export function changedSettings(sources: RuleSources): [RuleName, unknown][] {
  const settings = effectiveSettings(sources);
  return RULE_NAMES.filter(
    (name) => JSON.stringify(settings[name]) !== JSON.stringify(BUILT_IN[name]),
  ).map((name) => [name, settings[name]]);
}

/** One row of its kind per user, always written whole. */
const SEALED_AS = { id: "rules", version: 1, kind: "rules" } as const;

function rulesOf(settings: AllRuleSettings): MemoryRules {
  return {
    autoSave: settings.auto_save,
    maxMemories: settings.max_memories,
    whenFull: settings.when_full,
    deduplication: settings.deduplication,
    relevanceThreshold: settings.relevance_threshold,
    expireAfter: settings.expire_after,
    imports: settings.imports,
    secrets: settings.secrets,
    blockedTags: settings.blocked_tags,
  };
}

function parseJson(value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (value.trim() === "") return {};
  try {
    return JSON.parse(value);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new Error('MEMORY_RULES is not JSON. Write it as {"max_memories": 10000}.', { cause });
  }
}

function unwrapped(value: unknown): unknown {
  const isWrapped =
    typeof value === "object" &&
    value !== null &&
    "memory_rules" in value &&
    Object.keys(value).length === 1;
  return isWrapped ? value.memory_rules : value;
}

function isRuleName(name: string): name is RuleName {
  return RULE_NAMES.some((rule) => rule === name);
}
