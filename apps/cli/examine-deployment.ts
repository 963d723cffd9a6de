/** `cofio doctor URL`: a server on the network, examined from outside as its clients come to it. */
import { isSameIssuer } from "../doctor/documents.ts";
import { type Access, examine } from "../doctor/examine.ts";
import { WrongUse } from "./arguments.ts";
import { askServer } from "./ask-server.ts";
import { type CredentialFile, credentialFile, type Credentials } from "./credentials.ts";
import { adviceOf, linesOf } from "./examination-lines.ts";
import { guardedFetch } from "./guarded-fetch.ts";
import { openInBrowser } from "./open-in-browser.ts";
import { printable } from "./printable.ts";
import { readServerAddress } from "./server-address.ts";
import { signIn } from "./sign-in.ts";
import { print, printJson, warn } from "./terminal.ts";

export interface ExamineValues {
  readonly token?: string | undefined;
  readonly "sign-in": boolean;
  readonly "no-browser": boolean;
  readonly json: boolean;
}

/** @returns true: nothing is wrong */
export async function examineDeployment(address: string, values: ExamineValues): Promise<boolean> {
  const server = readServerAddress([address]);
  if (!["/mcp", "/mcp/"].includes(server.pathname)) {
    throw new WrongUse(
      "Give the address of a server or its /mcp, such as https://cofio.example.com/mcp.",
    );
  }
  if (values.token !== undefined && values["sign-in"]) {
    throw new WrongUse("Give --token or --sign-in.");
  }
  const { origin } = server;
  const token = values.token ?? (process.env["COFIO_TOKEN"] || undefined);
  if (token !== undefined && !values["sign-in"]) return report(origin, { token }, values);

  // Where `cofio connect` keeps its access to the same server.
  const mcpUrl = new URL("/mcp", origin);
  const file = credentialFile(mcpUrl, warn);
  if (values["sign-in"]) await signInAnew(mcpUrl, file, values["no-browser"]);
  if (file.read().tokens === undefined) return report(origin, null, values);
  return file.locked(() => report(origin, keptAccess(file, origin), values));
}

/** As a client that was never here. What was kept is replaced when that worked; the old one stays among the connected apps. */
async function signInAnew(server: URL, kept: CredentialFile, isQuiet: boolean): Promise<void> {
  const fetch = guardedFetch(server);
  const { url, port } = kept.read();
  let made: Credentials = { url, ...(port === undefined ? {} : { port }) };
  const file: CredentialFile = {
    read: () => made,
    write: (credentials) => void (made = credentials),
    locked: (work) =>
      kept.locked(async () => {
        const result = await work();
        kept.write(made);
        return result;
      }),
  };
  const show = (page: URL): void => {
    warn(`Sign in to ${server.host} at:\n${page.href}\n`);
    if (!isQuiet) openInBrowser(page);
  };
  try {
    const challenged = await fetch(server, { method: "POST" });
    await challenged.body?.cancel();
    await signIn({ server, file, fetch, show }, undefined, challenged);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // The examination goes as far as without, and says why it did not come to that.
    warn(`Signing in came to nothing: ${printable(error.message)}`);
  }
}

function keptAccess(file: CredentialFile, origin: string): Access | null {
  const kept = file.read();
  const { tokens, client } = kept;
  if (tokens === undefined) return null;
  // Another issuer's is good for more than this server, and none of its business.
  const isOwn = isSameIssuer(tokens.issuer ?? "", origin);
  if (!isOwn || tokens.refresh_token === undefined || client === undefined) {
    return { token: tokens.access_token };
  }
  return {
    token: tokens.access_token,
    refresh: { clientId: client.client_id, refreshToken: tokens.refresh_token },
    onRenewed: ({ access_token, refresh_token, expires_in }) =>
      file.write({
        ...kept,
        tokens: {
          ...tokens,
          access_token,
          ...(refresh_token === undefined ? {} : { refresh_token }),
          ...(expires_in === undefined ? {} : { expires_in }),
        },
      }),
  };
}

async function report(
  origin: string,
  access: Access | null,
  { json }: ExamineValues,
): Promise<boolean> {
  const steps = await examine({
    origin,
    ask: askServer(origin),
    access,
    now: Date.now,
    onStep: (step) => (json ? undefined : print(linesOf(step))),
  });
  const isSound = steps.every(({ faults }) => faults.length === 0);
  if (json) printJson({ server: origin, sound: isSound, signed_in: access !== null, steps });
  else print(adviceOf(steps, access !== null));
  return isSound;
}
