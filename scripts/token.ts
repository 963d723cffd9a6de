/** `npm run --silent token -- --user NAME [--scopes a,b] [--trusted]`: prints one line, a personal access token of the running local server. */
import { parseArgs } from "node:util";
import { fail } from "./local.ts";
import { localToken } from "./local-token.ts";

const { user, scopes, trusted } = readOptions();
if (user === undefined || user === "") fail("Whose token? npm run --silent token -- --user NAME");

console.log(
  await localToken({
    user,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    trusted,
    ...(scopes === undefined ? {} : { scopes: scopes.split(",") }),
  }),
);

function readOptions() {
  try {
    return parseArgs({
      options: {
        user: { type: "string" },
        scopes: { type: "string" },
        // May approve memories and change rules, as the person may.
        trusted: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return fail(
      `${error.message}\nUse: npm run --silent token -- --user NAME [--scopes a,b] [--trusted]`,
    );
  }
}
