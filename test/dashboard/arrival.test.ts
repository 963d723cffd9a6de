/** How far a client has come, as the page Connect reads it from the steps that were seen. */
import { expect, test } from "vitest";
import { arrivalIn } from "../../apps/dashboard/pages/connect/arrival.ts";
import type { HandshakeStep } from "../../src/handshake.ts";

test("a step that was seen stands for all before it", () => {
  const { client, last, next, seen } = arrivalOf(["consent_shown", "Claude"]);
  expect({ client, last, next }).toEqual({
    client: "Claude",
    last: "consent_shown",
    next: "authorised",
  });
  expect([...seen]).toEqual(["consent_shown"]);
});

test("calls by an earlier permission are none of the one that is on its way", () => {
  const { last, inUse } = arrivalOf(
    ["reached", "Claude"],
    ["first_call", "Claude"],
    ["first_call", "Cursor"],
    ["consent_shown", "Claude"],
    ["authorised", "Claude"],
  );
  expect(last).toBe("authorised");
  expect(inUse).toEqual(["Cursor"]);
});

test("of several clients the one is shown that was asked about or got its key last", () => {
  const { client, next, inUse } = arrivalOf(
    ["metadata_read", null],
    ["registered", null],
    ["token_issued", "Claude"],
    ["first_call", "Claude"],
    ["consent_shown", "Cursor"],
  );
  expect({ client, next, inUse }).toEqual({
    client: "Cursor",
    next: "authorised",
    inUse: ["Claude"],
  });
  expect(arrivalOf().next).toBe("metadata_read");
});

function arrivalOf(...steps: (readonly [HandshakeStep, string | null])[]) {
  return arrivalIn({ steps: steps.map(([step, client]) => ({ step, client, at: 0 })) });
}
