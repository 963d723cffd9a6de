/** The person's memory rules: read by any of their clients, changed by them or by a token that they trust with it. */
import { Hono } from "hono";
import { UserError } from "../errors.ts";
import { ruleEffects } from "../memory/rule-effects.ts";
import type { Scope } from "../scopes.ts";
import {
  effectiveSettings,
  readSettings,
  sealRules,
  type RuleSettings,
  type RuleSources,
} from "../storage/rules.ts";
import type { ApiContext } from "./api.ts";
import { readJson } from "./read-json.ts";
import { requireScope } from "./require-scope.ts";
import { takesJson } from "./takes.ts";

const WANTED = 'Send the rules to change, such as {"max_memories": 5000}; null resets one.';

export function rules({ account, caller, scopes }: ApiContext) {
  return new Hono()
    .get("/", (c) => c.json(rulesAnswer(account.ruleSources, scopes)))
    .patch("/", takesJson<SentRules>(), async (c) => {
      if (!caller.trusted) throw notTrusted();
      const sources = account.ruleSources;
      const own = changedBy(sources.own, await readJson(c, WANTED));
      if (!(await account.accounts.setRules(account.row, await sealRules(account.keys, own)))) {
        throw new UserError(
          "version_conflict",
          "The rules were changed by another request at the same time.",
          "Read them again, and repeat the change.",
        );
      }
      return c.json(rulesAnswer({ ...sources, own }, scopes));
    })
    .post("/effects", takesJson<SentRules>(), async (c) => {
      requireScope(scopes, "memories:read");
      const sources = account.ruleSources;
      const own = changedBy(sources.own, await readJson(c, WANTED));
      const settings = effectiveSettings({ ...sources, own });
      const { autoSave, imports, maxMemories, expireAfter, blockedTags, partial } =
        await ruleEffects(account, settings, caller.now);
      return c.json({
        auto_save: { waiting: autoSave.waiting, would_wait: autoSave.wouldWait },
        imports,
        max_memories: maxMemories,
        expire_after: { expired: expireAfter.expired, would_hide: expireAfter.wouldHide },
        blocked_tags: blockedTags,
        partial,
      });
    });
}

type SentRules = { readonly [Name in keyof RuleSettings]: RuleSettings[Name] | null };

/** A person's own rules with what was sent put in. @throws UserError invalid_input */
function changedBy(own: RuleSettings, sent: unknown): RuleSettings {
  const read = readSettings(sent);
  if (read.outcome === "refused") throw new UserError("invalid_input", read.problem, read.wanted);
  const changed = Object.entries({ ...own, ...read.settings });
  return Object.fromEntries(
    changed.filter(([name]) => !read.resets.some((reset) => reset === name)),
  );
}

function rulesAnswer(sources: RuleSources, scopes: readonly Scope[]) {
  // The blocked tags are words of the person's.
  const mayReadWords = scopes.includes("memories:read");
  const shown = <Settings extends RuleSettings>({ blocked_tags, ...rest }: Settings) =>
    mayReadWords && blocked_tags !== undefined ? { ...rest, blocked_tags } : rest;
  return {
    rules: shown(effectiveSettings(sources)),
    defaults: shown(sources.defaults),
    /** Names of those that the person set; the others are the deployment's. */
    own: Object.keys(shown(sources.own)),
  };
}

function notTrusted(): UserError {
  return new UserError(
    "forbidden",
    "This access may read the memory rules and not change them.",
    "The user changes them when signed in, or with a token that they marked as trusted on the server's page.",
  );
}
