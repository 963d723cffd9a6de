/** A passkey in software: what a browser and its authenticator answer to the ceremonies (WebAuthn level 3, ES256, no attestation). */
import { utf8, type Bytes } from "../../../src/vault/bytes.ts";

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const HAS_CREDENTIAL = 0x40;

export interface Passkey {
  /** The JSON that `navigator.credentials.create` would give. */
  register(options: { challenge: string }): Promise<Record<string, unknown>>;
  /** The JSON that `navigator.credentials.get` would give. */
  authenticate(options: { challenge: string }): Promise<Record<string, unknown>>;
}

export async function newPasskey(
  origin: string,
  { isVerified = true }: { isVerified?: boolean } = {},
): Promise<Passkey> {
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  if (!("publicKey" in keys)) throw new Error("ECDSA makes pairs");
  const credentialId = crypto.getRandomValues(new Uint8Array(16));
  const flags = USER_PRESENT | (isVerified ? USER_VERIFIED : 0);
  const rpIdHash = await sha256(utf8(new URL(origin).hostname));

  return {
    async register({ challenge }) {
      const exported = await crypto.subtle.exportKey("raw", keys.publicKey);
      if (!(exported instanceof ArrayBuffer)) throw new Error("raw keys are bytes");
      // 0x04, x, y.
      const point = new Uint8Array(exported);
      const cosePrefix = [0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32];
      const coseKey = concat(cosePrefix, point.slice(1, 33), [0x22, 0x58, 32], point.slice(33));
      const authData = concat(
        rpIdHash,
        [flags | HAS_CREDENTIAL, 0, 0, 0, 0],
        new Uint8Array(16),
        [0, credentialId.length],
        credentialId,
        coseKey,
      );
      const attestationObject = concat(
        [0xa3, 0x63],
        utf8("fmt"),
        [0x64],
        utf8("none"),
        [0x67],
        utf8("attStmt"),
        [0xa0, 0x68],
        utf8("authData"),
        [0x58, authData.length],
        authData,
      );
      return credential({
        clientDataJSON: base64url(clientData("webauthn.create", challenge, origin)),
        attestationObject: base64url(attestationObject),
        transports: ["internal"],
      });
    },

    async authenticate({ challenge }) {
      const data = clientData("webauthn.get", challenge, origin);
      const authenticatorData = concat(rpIdHash, [flags, 0, 0, 0, 0]);
      const signature = await crypto.subtle.sign(
        { name: "ECDSA", hash: "SHA-256" },
        keys.privateKey,
        concat(authenticatorData, await sha256(data)),
      );
      return credential({
        clientDataJSON: base64url(data),
        authenticatorData: base64url(authenticatorData),
        signature: base64url(toDer(new Uint8Array(signature))),
      });
    },
  };

  function credential(response: Record<string, unknown>): Record<string, unknown> {
    const id = base64url(credentialId);
    return { id, rawId: id, type: "public-key", clientExtensionResults: {}, response };
  }
}

function clientData(type: string, challenge: string, origin: string): Bytes {
  return utf8(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
}

/** WebCrypto signs as two plain numbers, WebAuthn wants them in ASN.1. */
function toDer(signature: Uint8Array): Bytes {
  const numbers = [signature.slice(0, 32), signature.slice(32)].map((bytes) => {
    const trimmed = bytes.slice(
      Math.max(
        0,
        bytes.findIndex((byte) => byte !== 0),
      ),
    );
    const positive = (trimmed[0] ?? 0) > 0x7f ? concat([0], trimmed) : trimmed;
    return concat([0x02, positive.length], positive);
  });
  const body = concat(...numbers);
  return concat([0x30, body.length], body);
}

function concat(...parts: readonly (readonly number[] | Uint8Array)[]): Bytes {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

async function sha256(bytes: Bytes): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
