/** The promise under everything else: what one user's keys sealed opens for that user, in that place, unaltered, and nowhere else. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import {
  argumentsHash,
  blindColumn,
  blindTokens,
  contentHash,
  cursorMac,
  fingerprint,
  labelToken,
  originKey,
} from "../../src/vault/blind.ts";
import { base32, equalInConstantTime, utf8, type Bytes } from "../../src/vault/bytes.ts";
import { makeCursor, readCursor } from "../../src/vault/cursor.ts";
import { isUserId, newId, newJobId, newOperationId, newUserId } from "../../src/vault/ids.ts";
import {
  createMasterKey,
  deriveKeys,
  openKeys,
  parseVaultKey,
  wrapMasterKey,
  type Keys,
} from "../../src/vault/keys.ts";
import {
  DoesNotOpen,
  openBytes,
  openJson,
  sealBytes,
  sealJson,
  type SealContext,
  type SealedKind,
} from "../../src/vault/seal.ts";

const KINDS: readonly SealedKind[] = [
  "memory",
  "conversation",
  "message",
  "label",
  "rules",
  "result",
  "job",
  "chunk",
];

const bytes = fc
  .uint8Array({ maxLength: 300 })
  .map((array): Bytes => new Uint8Array(array) satisfies Bytes);
const context: fc.Arbitrary<SealContext> = fc.record({
  id: fc.stringMatching(/^[a-z2-7]{12}$/),
  version: fc.integer({ min: 1, max: 1_000_000 }),
  kind: fc.constantFrom(...KINDS),
});
/** UTF-16 units, lone surrogates and NUL included. */
const anyText = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
  .map((units) => String.fromCharCode(...units));
const wellFormed = fc.string({ unit: "binary", maxLength: 40 });

async function someKeys(userId = newUserId()): Promise<Keys> {
  return deriveKeys(userId, 1, createMasterKey());
}

test("what was sealed opens to the same bytes, and never the same way twice", async () => {
  const keys = await someKeys();
  await fc.assert(
    fc.asyncProperty(bytes, context, async (plain, place) => {
      const row = await sealBytes(keys, place, plain);
      expect(await openBytes(keys, place, row)).toEqual(plain);
      expect(await sealBytes(keys, place, plain)).not.toEqual(row);
    }),
  );
});

test("JSON comes back as it was, lone surrogates and NUL included", async () => {
  const keys = await someKeys();
  const json = fc.jsonValue({ stringUnit: "binary" });
  await fc.assert(
    fc.asyncProperty(fc.oneof(json, anyText), context, async (value, place) => {
      const hex = await sealJson(keys, place, value);
      expect(hex).toMatch(/^[0-9a-f]+$/);
      expect(await openJson(keys, place, hex)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("a long text is sealed in less room than it takes, and comes back as it was", async () => {
  const keys = await someKeys();
  const place = { id: newId(), version: 1, kind: "message" } as const;
  const text = "What was said, with ä, 猫 and \ud800. ".repeat(10_000);
  const hex = await sealJson(keys, place, { text });
  expect(hex.length).toBeLessThan(text.length / 10);
  expect(await openJson(keys, place, hex)).toEqual({ text });
});

test("a row in which any one bit was changed does not open", async () => {
  const keys = await someKeys();
  const place = { id: newId(), version: 3, kind: "memory" } as const;
  const row = await sealBytes(keys, place, utf8("The dentist is on Tuesday."));
  for (let at = 0; at < row.length; at++) {
    const altered = new Uint8Array(row);
    altered[at] = (altered[at] ?? 0) ^ (1 << (at % 8));
    await expect(openBytes(keys, place, altered), `byte ${at}`).rejects.toThrow(DoesNotOpen);
  }
});

test("a row that was cut short or made longer does not open", async () => {
  const keys = await someKeys();
  await fc.assert(
    fc.asyncProperty(bytes, context, fc.nat(), async (plain, place, at) => {
      const row = await sealBytes(keys, place, plain);
      await expect(openBytes(keys, place, row.slice(0, at % row.length))).rejects.toThrow(
        DoesNotOpen,
      );
      const longer = new Uint8Array(row.length + 1);
      longer.set(row);
      await expect(openBytes(keys, place, longer)).rejects.toThrow(DoesNotOpen);
    }),
  );
});

test("a row opens for no other user, id, version or kind, and under no other key", async () => {
  const masterKey = createMasterKey();
  const keys = await deriveKeys(newUserId(), 1, masterKey);
  const sameKeyOtherUser = await deriveKeys(newUserId(), 1, masterKey);
  const otherKeySameUser = await deriveKeys(keys.userId, 1, createMasterKey());
  await fc.assert(
    fc.asyncProperty(bytes, context, context, async (plain, place, other) => {
      const row = await sealBytes(keys, place, plain);
      await expect(openBytes(sameKeyOtherUser, place, row)).rejects.toThrow(DoesNotOpen);
      await expect(openBytes(otherKeySameUser, place, row)).rejects.toThrow(DoesNotOpen);
      for (const part of ["id", "version", "kind"] as const) {
        if (other[part] === place[part]) continue;
        const moved = { ...place, [part]: other[part] };
        await expect(openBytes(keys, moved, row), part).rejects.toThrow(DoesNotOpen);
      }
    }),
  );
});

test("the wrapped master key opens under its own VAULT_KEY and user only, and unaltered only", async () => {
  const vaultKey = createMasterKey();
  const userId = newUserId();
  const wrapped = await wrapMasterKey(vaultKey, userId, createMasterKey());
  const keys = await openKeys(vaultKey, userId, wrapped);
  expect(keys).toMatchObject({ userId, version: 1 });
  await expect(openKeys(createMasterKey(), userId, wrapped)).rejects.toThrow();
  await expect(openKeys(vaultKey, newUserId(), wrapped)).rejects.toThrow();
  await expect(openKeys(vaultKey, userId, { ...wrapped, keyVersion: 2 })).rejects.toThrow();
  const { keyCheck } = await wrapMasterKey(vaultKey, userId, createMasterKey());
  await expect(openKeys(vaultKey, userId, { ...wrapped, keyCheck })).rejects.toThrow();
  for (let at = 0; at < wrapped.wrappedKey.length; at++) {
    const altered = new Uint8Array(wrapped.wrappedKey);
    altered[at] = (altered[at] ?? 0) ^ 1;
    const row = { ...wrapped, wrappedKey: altered };
    await expect(openKeys(vaultKey, userId, row), `byte ${at}`).rejects.toThrow();
  }
});

test("keys that were unwrapped open what was sealed before", async () => {
  const [vaultKey, masterKey, userId] = [createMasterKey(), createMasterKey(), newUserId()];
  const before = await deriveKeys(userId, 1, masterKey);
  const after = await openKeys(vaultKey, userId, await wrapMasterKey(vaultKey, userId, masterKey));
  const place = { id: newId(), version: 1, kind: "memory" } as const;
  const row = await sealBytes(before, place, utf8("Still here."));
  expect(await openBytes(after, place, row)).toEqual(utf8("Still here."));
  expect(await blindTokens(after, ["word"])).toEqual(await blindTokens(before, ["word"]));
});

test("keys cannot be taken out of the process's hands", async () => {
  const { enc, idx } = await someKeys();
  await expect(crypto.subtle.exportKey("raw", enc)).rejects.toThrow();
  await expect(crypto.subtle.exportKey("raw", idx)).rejects.toThrow();
});

test.each([
  ["missing", undefined],
  ["empty", ""],
  ["blank", "  \n"],
  ["31 bytes long", btoa("x".repeat(31))],
  ["no base64", "a vault key, in plain words!"],
  ["base64 that was cut", `${btoa("x".repeat(32))}A`],
  ["hexadecimal and short", "0123456789abcdef0123456789abcdef"],
])(
  "a VAULT_KEY that is %s is refused with the way to make one, and is not repeated",
  (_, secret) => {
    const refusal = refusalOf(() => parseVaultKey(secret));
    expect(refusal).toMatch(/^VAULT_KEY .*openssl rand -base64 32$/);
    if (secret !== undefined && secret.trim() !== "") expect(refusal).not.toContain(secret.trim());
  },
);

test("a VAULT_KEY may have blanks around it, as files and consoles leave them", () => {
  const secret = btoa("0123456789abcdef0123456789abcdef");
  expect(parseVaultKey(` ${secret}\n`)).toEqual(utf8("0123456789abcdef0123456789abcdef"));
});

test("blind tokens are twelve letters of base32, the same for one user and unlike those of another", async () => {
  const [one, other] = [await someKeys(), await someKeys()];
  await fc.assert(
    fc.asyncProperty(fc.array(wellFormed, { minLength: 1, maxLength: 12 }), async (words) => {
      const tokens = await blindTokens(one, words);
      for (const token of tokens) expect(token).toMatch(/^[a-z2-7]{12}$/);
      expect(await blindTokens(one, words)).toEqual(tokens);
      expect(new Set(tokens).size).toBe(new Set(words).size);
      const theirs = new Set(await blindTokens(other, words));
      expect(tokens.filter((token) => theirs.has(token))).toEqual([]);
    }),
  );
});

test("a blind column holds every token as often as the text does, and not its order", async () => {
  const keys = await someKeys();
  await fc.assert(
    fc.asyncProperty(fc.array(wellFormed, { maxLength: 20 }), async (words) => {
      const column = await blindColumn(keys, words);
      expect(column).toBe(await blindColumn(keys, [...words].reverse()));
      expect(column.split(" ").filter((token) => token !== "")).toHaveLength(words.length);
    }),
  );
});

test("the same text gives two users different labels, fingerprints, hashes and keys of origin", async () => {
  const [one, other] = [await someKeys(), await someKeys()];
  await fc.assert(
    fc.asyncProperty(wellFormed, wellFormed, async (text, project) => {
      for (const blind of [
        (keys: Keys) => labelToken(keys, "tag", text),
        (keys: Keys) => labelToken(keys, "project", text),
        (keys: Keys) => fingerprint(keys, text, project),
        (keys: Keys) => originKey(keys, [text, project]),
        (keys: Keys) => contentHash(keys, text),
        (keys: Keys) => argumentsHash(keys, text),
        (keys: Keys) => cursorMac(keys, text),
      ]) {
        const own = await blind(one);
        expect(own).toBe(await blind(one));
        expect(own).not.toBe(await blind(other));
      }
    }),
  );
});

test("equal words have unequal forms in every use, so none can be tried in the place of another", async () => {
  const keys = await someKeys();
  await fc.assert(
    fc.asyncProperty(wellFormed, async (text) => {
      const forms = await Promise.all([
        blindColumn(keys, [text]),
        labelToken(keys, "tag", text),
        labelToken(keys, "project", text),
        fingerprint(keys, text, ""),
        originKey(keys, [text]),
        contentHash(keys, text),
        argumentsHash(keys, text),
        cursorMac(keys, text),
      ]);
      const beginnings = forms.map((form) => form.slice(0, 12));
      expect(new Set(beginnings).size).toBe(forms.length);
    }),
  );
});

test("a label is the same in any case and Unicode form, a fingerprint is that of its project", async () => {
  const keys = await someKeys();
  expect(await labelToken(keys, "tag", "CAFÉ")).toBe(await labelToken(keys, "tag", "cafe\u0301"));
  expect(await fingerprint(keys, "x", "Atlas")).toBe(await fingerprint(keys, "x", "ATLAS"));
  expect(await fingerprint(keys, "x", "Atlas")).not.toBe(await fingerprint(keys, "x", ""));
});

test("operation ids sort by time, to the millisecond, until the year 3084", () => {
  const time = fc.integer({ min: 0, max: 2 ** 45 - 1 });
  fc.assert(
    fc.property(time, time, (one, other) => {
      const [a, b] = [newOperationId(one), newOperationId(other)];
      expect(a).toMatch(/^[a-z2-7]{16}$/);
      if (one !== other) expect(a < b).toBe(one < other);
      if (one < 2 ** 45 - 1) expect(a < newOperationId(one + 1)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("ids have their length and letters, and a thousand of each are all different", () => {
  const kinds = [
    [newId, /^[a-z2-7]{12}$/],
    [newUserId, /^[a-z2-7]{16}$/],
    [newJobId, /^[a-z2-7]{26}$/],
    [() => newOperationId(0), /^[a-z2-7]{16}$/],
  ] as const;
  for (const [make, form] of kinds) {
    const made = Array.from({ length: 1_000 }, () => make());
    for (const id of made) expect(id).toMatch(form);
    expect(new Set(made).size).toBe(made.length);
  }
  expect(isUserId(newUserId())).toBe(true);
  expect(isUserId(newId())).toBe(false);
});

test.each([
  ["", ""],
  ["f", "my"],
  ["fo", "mzxq"],
  ["foo", "mzxw6"],
  ["foob", "mzxw6yq"],
  ["fooba", "mzxw6ytb"],
  ["foobar", "mzxw6ytboi"],
])("base32 of %j is %j, as RFC 4648 has it in upper case and with padding", (text, encoded) => {
  expect(base32(utf8(text))).toBe(encoded);
});

test("base32 keeps every bit", () => {
  const value = (digit: string) => "abcdefghijklmnopqrstuvwxyz234567".indexOf(digit);
  fc.assert(
    fc.property(bytes, (plain) => {
      const bits = [...base32(plain)].map((digit) => value(digit).toString(2).padStart(5, "0"));
      const expected = [...plain].map((byte) => byte.toString(2).padStart(8, "0")).join("");
      expect(bits.join("").slice(0, expected.length)).toBe(expected);
      expect(bits.join("").slice(expected.length)).toMatch(/^0{0,4}$/);
    }),
  );
});

test("comparing in constant time says what === says", () => {
  const pair = fc.oneof(
    fc.tuple(wellFormed, wellFormed),
    wellFormed.map((text) => [text, text] as const),
    fc.tuple(wellFormed, wellFormed).map(([one, more]) => [one, one + more] as const),
    fc.tuple(wellFormed, fc.nat(5)).map(([one, times]) => [one, one.repeat(times)] as const),
  );
  fc.assert(
    fc.property(pair, ([one, other]) => {
      expect(equalInConstantTime(one, other)).toBe(one === other);
      expect(equalInConstantTime(other, one)).toBe(one === other);
    }),
    { numRuns: 500 },
  );
});

test("a cursor gives back its place, to the same user and query only", async () => {
  const [keys, other] = [await someKeys(), await someKeys()];
  const place = fc.oneof(
    fc.nat(),
    fc.tuple(fc.maxSafeNat(), fc.stringMatching(/^[a-z2-7]{12}$/)),
    fc.tuple(fc.nat(), fc.nat()),
  );
  await fc.assert(
    fc.asyncProperty(place, anyText, anyText, async (made, query, otherQuery) => {
      const cursor = await makeCursor(keys, query, made);
      expect(cursor).toMatch(/^[\w-]+\.[a-z2-7]{12}$/);
      expect(await readCursor(keys, query, cursor)).toEqual(made);
      await expectRefused(readCursor(other, query, cursor));
      if (query.toWellFormed() !== otherQuery.toWellFormed()) {
        await expectRefused(readCursor(keys, otherQuery, cursor));
      }
    }),
  );
});

test("whatever else is sent as a cursor is refused, an altered or lengthened one too", async () => {
  const keys = await someKeys();
  const cursor = await makeCursor(keys, "list", [1_770_000_000_000, newId()]);
  const altered = fc.oneof(
    anyText,
    fc.nat(cursor.length - 1).map((at) => cursor.slice(0, at)),
    fc
      .tuple(fc.nat(cursor.length - 1), fc.constantFrom("A", "b", "3", ".", "-", "\0"))
      .map(([at, letter]) => cursor.slice(0, at) + letter + cursor.slice(at + 1)),
    fc.constantFrom(".", "..", "a").map((more) => cursor + more),
    anyText.map((more) => `${cursor}.${more}`),
  );
  await fc.assert(
    fc.asyncProperty(
      altered.filter((text) => text !== cursor),
      async (text) => {
        await expectRefused(readCursor(keys, "list", text));
      },
    ),
    { numRuns: 300 },
  );
});

async function expectRefused(reading: Promise<unknown>): Promise<void> {
  const error: unknown = await reading.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  expect(error).toMatchObject({ code: "invalid_input" });
}

function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("It was not refused");
}
