/** Who acts on a local Cofio, as memories name it. */

export interface LocalClient {
  readonly name: string;
  /** May change rules and approve memories. */
  readonly trusted: boolean;
}

/** The person's own program. */
export const PROGRAM: LocalClient = { name: "Cofio CLI", trusted: true };

/** For a client that does not say its name. */
const UNNAMED = "MCP client";
/** Arbitrary: names of clients are of two or three words. Half of the Worker's limit (`auth/local-token.ts`), which counts UTF-16. */
const MAX_NAME_CHARS = 32;

/** An MCP client by the name that it gives itself, which is never the program's. */
export function mcpClient(given: string | null): LocalClient {
  const plain = [...(given ?? "").toWellFormed().trim()].slice(0, MAX_NAME_CHARS).join("").trim();
  const name = plain === "" ? UNNAMED : plain;
  return { name: name === PROGRAM.name ? `${name} (as it says)` : name, trusted: false };
}
