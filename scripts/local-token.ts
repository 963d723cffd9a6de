import { fail, origin } from "./local.ts";

/** A personal access token of the running local server, made by its headless way in. */
export async function localToken(wanted: {
  readonly user: string;
  readonly [setting: string]: unknown;
}): Promise<string> {
  const response = await fetch(`${origin}/local/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(wanted),
  }).catch(() => fail(`No Cofio answers on ${origin}. Start it with: npm start`));
  if (response.status === 404)
    fail(`The server on ${origin} gives no local tokens: .dev.vars needs LOCAL_TOKENS=1.`);
  if (!response.ok) fail(`${origin} refused: ${await response.text()}`);
  const { token } = (await response.json()) as { token: string }; // the route's own answer
  return token;
}
