import { WrongUse } from "./arguments.ts";
import { isLoopback } from "./guarded-fetch.ts";

/** A bare host stands for its `/mcp`: clients refuse metadata for a longer path than the address that they were given. @throws WrongUse */
export function readServerAddress([address, ...rest]: readonly string[]): URL {
  const url = URL.parse(address ?? "");
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url));
  const isPlain = url?.username === "" && url.password === "" && rest.length === 0;
  if (url === null || !isSafe || !isPlain) {
    throw new WrongUse("Give one address, such as https://cofio.example.com/mcp.");
  }
  if (url.pathname === "/") url.pathname = "/mcp";
  url.hash = "";
  return url;
}
