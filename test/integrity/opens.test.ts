import { expect, test } from "vitest";
import { opened } from "../../src/integrity/opens.ts";
import { DoesNotOpen } from "../../src/vault/seal.ts";

test("only a row that does not open is unreadable: whatever else fails says nothing about the row", async () => {
  expect(await opened(async () => "text")).toBe("text");
  expect(await opened(() => Promise.reject(new DoesNotOpen("altered")))).toBeNull();
  for (const error of [new TypeError("a bug"), new DOMException("no key", "InvalidAccessError")]) {
    await expect(opened(() => Promise.reject(error))).rejects.toBe(error);
  }
});
