/**
 * The page's policy forbids strings as addresses of scripts, except those that pass here (Trusted Types; browsers without them take the
 * string). The name stands in `src/auth/security-headers.ts`.
 */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(address: string): string },
  ): { createScriptURL(address: string): string };
}

// TypeScript's own types of the browser do not have it yet. What it makes is no string but an object that passes for one.
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
/** Once: a second one of this name is refused. */
const policy = trustedTypes?.createPolicy("cofio", { createScriptURL: (address) => address });

/** @param address a constant of ours */
export function trustedScript(address: string): string {
  return policy?.createScriptURL(address) ?? address;
}
