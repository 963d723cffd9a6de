/** Secrets that people hold, in the 32 letters of base32: five bits each. */
import { base32, utf8 } from "../vault/bytes.ts";

export function randomLetters(count: number): string {
  return base32(crypto.getRandomValues(new Uint8Array(Math.ceil((count * 5) / 8)))).slice(0, count);
}

/** By which a guess is told from what this deployment made, before anything is read. 80 bits; whoever has less room takes the first letters. */
export async function letterMac(authSecret: string, message: string): Promise<string> {
  const key = await crypto.subtle.importKey(
    "raw",
    utf8(authSecret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const mac = await crypto.subtle.sign("HMAC", key, utf8(message));
  return base32(new Uint8Array(mac)).slice(0, 16);
}

/** What is kept of a secret. */
export async function hashOf(secret: string): Promise<string> {
  return base32(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(secret))));
}
