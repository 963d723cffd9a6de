/** `npm run verify -- --user NAME [--json]`: checks that all rows of a local user agree, and repairs what is derived. Exit code 1: something else does not. */
import { parseArgs } from "node:util";
import { verify } from "../apps/cli/verify.ts";
import { fail, origin } from "./local.ts";
import { localToken } from "./local-token.ts";

const { user, json } = readOptions();
if (user === undefined || user === "") fail("Whose account? npm run verify -- --user NAME");
// Not as an argument, which other users of this machine see.
process.env.COFIO_TOKEN = await localToken({
  user,
  scopes: ["memories:read", "memories:write"],
  client: "npm run verify",
});
process.exitCode = await verify.run(["--url", origin, ...(json ? ["--json"] : [])]);

function readOptions() {
  try {
    const options = {
      user: { type: "string" },
      json: { type: "boolean", default: false },
    } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return fail(`${error.message}\nUse: npm run verify -- --user NAME [--json]`);
  }
}
