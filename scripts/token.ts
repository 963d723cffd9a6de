/** `npm run --silent token -- --user NAME [--scopes a,b] [--trusted]`: prints one line, a personal access token of the running local server. */
import { parseArgs } from "node:util";
import { fail, origin } from "./local.ts";

const { user, scopes, trusted } = readOptions();
if (user === undefined || user === "") fail("Whose token? npm run --silent token -- --user NAME");

const response = await fetch(`${origin}/local/token`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    user,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    trusted,
    ...(scopes === undefined ? {} : { scopes: scopes.split(",") }),
  }),
}).catch(() => fail(`No Cofio answers on ${origin}. Start it with: npm start`));

if (response.status === 404)
  fail(`The server on ${origin} gives no local tokens: .dev.vars needs LOCAL_TOKENS=1.`);
if (!response.ok) fail(`${origin} refused: ${await response.text()}`);
const { token } = (await response.json()) as { token: string }; // the route's own answer
console.log(token);

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
