/** The integrity check: part by part, asked for until it has ended. */
import { Hono } from "hono";
import { checkPart, readCheck, type IntegrityCheck } from "../integrity/check.ts";
import { iso } from "../mcp/answers.ts";
import type { ApiContext } from "./api.ts";
import { refuseReadOnly, requireScope } from "./require-scope.ts";

export function verify(context: ApiContext) {
  const { account, caller, scopes } = context;
  return new Hono()
    .get("/", (c) => {
      requireScope(scopes, "memories:read");
      const check = readCheck(account.row.integrity);
      return c.json({ check: check === null ? null : checkAnswer(check) });
    })
    .post("/", async (c) => {
      requireScope(scopes, "memories:write");
      refuseReadOnly(context);
      return c.json({ check: checkAnswer(await checkPart(account, caller.now)) });
    });
}

function checkAnswer(check: IntegrityCheck) {
  const { startedAt, finishedAt, phase, checked, repaired, left, named } = check;
  return {
    state: finishedAt === null ? ("running" as const) : ("finished" as const),
    started_at: iso(startedAt),
    finished_at: iso(finishedAt),
    phase: finishedAt === null ? phase : null,
    checked,
    repaired,
    left,
    named,
  };
}
