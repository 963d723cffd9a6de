/** The person's memory rules: read by any of their clients, changed by them or by a token that they trust with it. */
import { Hono } from "hono";
import { UserError } from "../errors.ts";
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
import { takesJson } from "./takes.ts";

const WANTED = 'Send the rules to change, such as {"max_memories": 5000}; null resets one.';

export function rules({ account, caller, scopes }: ApiContext) {
  return new Hono()
    .get("/", (c) => c.json(rulesAnswer(account.ruleSources, scopes)))
    .patch(
      "/",
      takesJson<{ [Name in keyof RuleSettings]: RuleSettings[Name] | null }>(),
      async (c) => {
        if (!caller.trusted) throw notTrusted();
        const read = readSettings(await readJson(c, WANTED));
        if (read.outcome === "refused") {
          throw new UserError("invalid_input", read.problem, read.wanted);
        }
        const sources = account.ruleSources;
        const changed: RuleSettings = { ...sources.own, ...read.settings };
        const own: RuleSettings = Object.fromEntries(
          Object.entries(changed).filter(([name]) => !read.resets.some((reset) => reset === name)),
        );
        if (!(await account.accounts.setRules(account.row, await sealRules(account.keys, own)))) {
          throw new UserError(
            "version_conflict",
            "The rules were changed by another request at the same time.",
            "Read them again, and repeat the change.",
          );
        }
        return c.json(rulesAnswer({ ...sources, own }, scopes));
      },
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
