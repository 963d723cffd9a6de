/** The two well-known documents, in both forms that clients ask for. */
import * as z from "zod";
import { isPage, jsonOf } from "./ask.ts";
import { fault, type Fault } from "./faults.ts";
import { METADATA_PATH, transportFault } from "./reach.ts";
import { EVERYONE, type Examined, type Outcome, pathOn, shown } from "./step.ts";

/** Fields of a foreign document that are of another kind count as not there. */
const text = z.string().optional().catch(undefined);
const texts = z.array(z.string()).optional().catch(undefined);

const resourceSchema = z.looseObject({ resource: text, authorization_servers: texts });
const serverSchema = z.looseObject({
  issuer: text,
  authorization_endpoint: text,
  token_endpoint: text,
  registration_endpoint: text,
  code_challenge_methods_supported: texts,
  token_endpoint_auth_methods_supported: texts,
  client_id_metadata_document_supported: z.boolean().optional().catch(undefined),
});

/** Paths on the examined server. */
export interface Endpoints {
  readonly authorize: string;
  readonly token: string;
  readonly register: string | null;
  readonly takesDocuments: boolean;
}

export async function resourceDocument(examined: Examined): Promise<Outcome<true>> {
  const paths = [METADATA_PATH, "/.well-known/oauth-protected-resource"];
  const { document, faults } = await readBoth(examined, paths, resourceSchema);
  const { origin } = examined;
  const expected = `${origin}/mcp`;
  if (document !== null) {
    const { resource, authorization_servers: servers = [] } = document;
    if (resource !== expected) faults.push(fault("resource_mismatch", shown(resource), expected));
    if (!servers.some((one) => isSameIssuer(one, origin))) {
      faults.push(fault("issuer_mismatch", shown(servers[0]), origin));
    }
  }
  const found = `the resource is ${expected}`;
  return {
    step: { name: "resource", clients: EVERYONE, found, faults },
    value: document === null ? null : true,
  };
}

export async function serverDocument(examined: Examined): Promise<Outcome<Endpoints>> {
  const paths = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/mcp",
  ];
  const { document, faults } = await readBoth(examined, paths, serverSchema);
  const { origin } = examined;
  const step = {
    name: "sign-in server",
    clients: EVERYONE,
    found: `the issuer is ${origin}`,
    faults,
  };
  if (document === null) return { step, value: null };

  if (document.issuer !== origin) {
    faults.push(fault("issuer_mismatch", shown(document.issuer), origin));
  }
  const at = (name: "authorization_endpoint" | "token_endpoint" | "registration_endpoint") => {
    const path = pathOn(origin, document[name]);
    const isOptional = name === "registration_endpoint" && document[name] === undefined;
    if (path === null && !isOptional) {
      faults.push(fault("endpoint_elsewhere", name, shown(document[name])));
    }
    return path;
  };
  const authorize = at("authorization_endpoint");
  const token = at("token_endpoint");
  const register = at("registration_endpoint");
  const takesDocuments = document.client_id_metadata_document_supported === true;
  if (document.code_challenge_methods_supported?.includes("S256") !== true) {
    faults.push(fault("s256_missing"));
  }
  if (document.token_endpoint_auth_methods_supported?.includes("none") !== true) {
    faults.push(fault("public_clients_refused"));
  }
  if (!takesDocuments) faults.push(fault("cimd_not_offered"));
  if (document.registration_endpoint === undefined) {
    faults.push(fault("registration_refused", "any client", "is not offered"));
  }
  if (authorize === null || token === null) return { step, value: null };
  return { step, value: { authorize, token, register, takesDocuments } };
}

/** Both forms, of which a client may read either. `document` is the first one that can be read. */
async function readBoth<T>(
  { ask }: Examined,
  paths: readonly string[],
  schema: z.ZodType<T>,
): Promise<{ document: T | null; faults: Fault[] }> {
  const faults: Fault[] = [];
  const read: { document: T; text: string }[] = [];
  for (const path of paths) {
    const answer = await ask({ method: "GET", path, headers: { accept: "application/json" } });
    const failed = transportFault(path, answer);
    if (answer.kind === "silent" || failed !== null) {
      if (failed !== null) faults.push(failed);
      continue;
    }
    const parsed = schema.safeParse(jsonOf(answer));
    if (isPage(answer)) faults.push(fault("document_is_page", path));
    else if (answer.status !== 200) faults.push(fault("document_missing", path, answer.status));
    else if (parsed.success) read.push({ document: parsed.data, text: answer.text });
    else faults.push(fault("document_broken", path));
  }
  const [first, second] = read;
  if (first !== undefined && second !== undefined && first.text !== second.text) {
    faults.push(fault("documents_differ", paths.join(" and ")));
  }
  return { document: first?.document ?? null, faults };
}

/** RFC 8414 compares letter by letter; a bare origin and its slash are the one difference that clients bridge. */
export function isSameIssuer(named: string, origin: string): boolean {
  return named === origin || named === `${origin}/`;
}
