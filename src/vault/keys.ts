/**
 * The keys of one user: a random master key, wrapped under the deployment's secret, and what HKDF derives from it.
 * Pure WebCrypto; secrets are passed in, so the same code runs in the Worker, a browser and Node.
 */
import { base32, equalInConstantTime, utf8, type Bytes } from "./bytes.ts";

/** Keys of an opened vault. They live for one request and are never stored or logged. */
export interface Keys {
  readonly userId: string;
  readonly version: number;
  /** AES-256-GCM. */
  readonly enc: CryptoKey;
  /** HMAC-SHA-256: blind tokens, fingerprints, keys of origin. */
  readonly idx: CryptoKey;
}

export interface WrappedMasterKey {
  readonly keyVersion: number;
  /** IV (12 bytes), ciphertext, tag. */
  readonly wrappedKey: Bytes;
  /** Eight derived bytes in base32: a wrong or substituted key is noticed before it is used. */
  readonly keyCheck: string;
  /** Which `VAULT_KEY` it is wrapped under (`vaultKeyId`); null: not known. */
  readonly wrappedUnder: string | null;
}

/** What the deployment's `VAULT_KEY` holds. */
export interface VaultKeys {
  /** Wraps, and opens. */
  readonly current: Bytes;
  /** Only opens, while the users' keys are wrapped anew; null: there is none. */
  readonly previous: Bytes | null;
}

/** The deployment has another `VAULT_KEY` than the one under which a user's key is wrapped. */
export class WrongVaultKey extends Error {
  override readonly name = "WrongVaultKey";
}

const MASTER_KEY_BYTES = 32;
/** 96 bits, the size AES-GCM is specified for (NIST SP 800-38D §8.2). */
const IV_BYTES = 12;
const MIN_VAULT_KEY_BYTES = 32;
const NO_SALT = new Uint8Array(32);

/**
 * Reads the deployment's `VAULT_KEY`: one key, or `new,old` while it is changed. They stand in one secret, so that no moment knows only
 * one of them.
 * @throws Error with the way to make one; the Worker must not start without it.
 */
export function parseVaultKeys(secret: string | undefined): VaultKeys {
  const [first, second, ...more] = (secret ?? "").split(",");
  if (more.length > 0) throw new Error("VAULT_KEY holds more than a new key and the one before");
  return {
    current: parseVaultKey(first),
    previous: second === undefined ? null : parseVaultKey(second),
  };
}

/** @param secret base64 of at least 32 random bytes. */
export function parseVaultKey(secret: string | undefined): Bytes {
  let bytes: Bytes;
  try {
    bytes = Uint8Array.fromBase64((secret ?? "").trim());
  } catch (cause) {
    throw new Error("VAULT_KEY is not base64. Make one with: openssl rand -base64 32", { cause });
  }
  if (bytes.length < MIN_VAULT_KEY_BYTES) {
    throw new Error("VAULT_KEY is missing or too short. Make one with: openssl rand -base64 32");
  }
  return bytes;
}

export function createMasterKey(): Bytes {
  return crypto.getRandomValues(new Uint8Array(MASTER_KEY_BYTES));
}

export async function wrapMasterKey(
  vaultKey: Bytes,
  userId: string,
  masterKey: Bytes,
): Promise<WrappedMasterKey> {
  const keyVersion = 1;
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: wrapContext(userId, keyVersion) },
    await wrappingKey(vaultKey),
    masterKey,
  );
  const wrappedKey = new Uint8Array(IV_BYTES + sealed.byteLength);
  wrappedKey.set(iv);
  wrappedKey.set(new Uint8Array(sealed), IV_BYTES);
  const [keyCheck, wrappedUnder] = await Promise.all([checkOf(masterKey), vaultKeyId(vaultKey)]);
  return { keyVersion, wrappedKey, keyCheck, wrappedUnder };
}

/**
 * Opens the vault of a managed account.
 * @throws WrongVaultKey when the deployment's secret is another one, Error when the check does not match.
 */
export async function openKeys(
  vaultKey: Bytes,
  userId: string,
  wrapped: WrappedMasterKey,
): Promise<Keys> {
  const masterKey = await unwrap(vaultKey, userId, wrapped);
  if (masterKey === null) throw new WrongVaultKey();
  return deriveKeys(userId, wrapped.keyVersion, masterKey);
}

/**
 * As `openKeys`, under the key of now or the one before.
 * `rewrapped`: given when the key is to be stored anew, because it was wrapped under the one before, or nobody noted under which.
 * @throws WrongVaultKey, Error
 */
export async function openRotatingKeys(
  { current, previous }: VaultKeys,
  userId: string,
  wrapped: WrappedMasterKey,
): Promise<{ readonly keys: Keys; readonly rewrapped: WrappedMasterKey | null }> {
  const opened = await unwrap(current, userId, wrapped);
  const masterKey = opened ?? (previous === null ? null : await unwrap(previous, userId, wrapped));
  if (masterKey === null) throw new WrongVaultKey();
  const isNoted = opened !== null && wrapped.wrappedUnder !== null;
  return {
    keys: await deriveKeys(userId, wrapped.keyVersion, masterKey),
    rewrapped: isNoted ? null : await wrapMasterKey(current, userId, masterKey),
  };
}

/** Tells one `VAULT_KEY` from another, and nothing else about it: 40 bits. */
export async function vaultKeyId(vaultKey: Bytes): Promise<string> {
  const bits = await crypto.subtle.deriveBits(hkdf("id/v1"), await importMaterial(vaultKey), 40);
  return base32(new Uint8Array(bits));
}

/** What only whoever holds `VAULT_KEY` can send: the way in for their own commands. */
export async function operatorProof(vaultKey: Bytes): Promise<string> {
  const material = await importMaterial(vaultKey);
  return base32(new Uint8Array(await crypto.subtle.deriveBits(hkdf("operator/v1"), material, 256)));
}

/** Null: it is wrapped under another key. */
async function unwrap(
  vaultKey: Bytes,
  userId: string,
  { wrappedKey, keyVersion, keyCheck }: WrappedMasterKey,
): Promise<Bytes | null> {
  let masterKey: Bytes;
  try {
    masterKey = new Uint8Array(
      await crypto.subtle.decrypt(
        {
          name: "AES-GCM",
          iv: wrappedKey.subarray(0, IV_BYTES),
          additionalData: wrapContext(userId, keyVersion),
        },
        await wrappingKey(vaultKey),
        wrappedKey.subarray(IV_BYTES),
      ),
    );
  } catch (error) {
    // Authenticated encryption does not tell a wrong key from an altered ciphertext: both fail so.
    if (error instanceof DOMException && error.name === "OperationError") return null;
    throw error;
  }
  if (!equalInConstantTime(await checkOf(masterKey), keyCheck)) {
    throw new Error("The master key does not match its check value");
  }
  return masterKey;
}

export async function deriveKeys(userId: string, version: number, masterKey: Bytes): Promise<Keys> {
  const material = await importMaterial(masterKey);
  const [enc, idx] = await Promise.all([
    crypto.subtle.deriveKey(hkdf("enc/v1"), material, { name: "AES-GCM", length: 256 }, false, [
      "encrypt",
      "decrypt",
    ]),
    crypto.subtle.deriveKey(
      hkdf("idx/v1"),
      material,
      { name: "HMAC", hash: "SHA-256", length: 256 },
      false,
      ["sign"],
    ),
  ]);
  return { userId, version, enc, idx };
}

async function checkOf(masterKey: Bytes): Promise<string> {
  const bits = await crypto.subtle.deriveBits(
    hkdf("check/v1"),
    await importMaterial(masterKey),
    64,
  );
  return base32(new Uint8Array(bits));
}

async function wrappingKey(vaultKey: Bytes): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(
    hkdf("wrap/v1"),
    await importMaterial(vaultKey),
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

function importMaterial(bytes: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey", "deriveBits"]);
}

function hkdf(info: string) {
  return { name: "HKDF", hash: "SHA-256", salt: NO_SALT, info: utf8(info) };
}

function wrapContext(userId: string, keyVersion: number): Bytes {
  return utf8(`mk|${userId}|${keyVersion}`);
}
