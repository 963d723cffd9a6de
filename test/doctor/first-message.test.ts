import fc from "fast-check";
import { expect, test } from "vitest";
import { firstMessage } from "../../apps/doctor/first-message.ts";

test("a message is seen when its blank line comes, however the stream is cut into pieces", () => {
  const part = fc.constantFrom(
    "data:",
    "data: {}",
    "d",
    "ata:",
    ": ping",
    "id: 1",
    "\n",
    "\r\n",
    "\n\n",
    "x",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), fc.array(fc.nat(8)), (parts, cuts) => {
      const whole = parts.join("");
      const sees = firstMessage();
      let seen = false;
      let at = 0;
      for (const length of [...cuts, whole.length]) {
        const piece = whole.slice(at, at + length);
        at += length;
        seen = sees(piece) || seen;
        expect(seen).toBe(/^data:[^]*?\n\r?\n/m.test(whole.slice(0, at)));
      }
    }),
  );
});

test("a stream of data lines without an end is read in time that grows with its length alone", () => {
  const sees = firstMessage();
  // As one piece it took minutes once, and in pieces longer.
  const piece = "data:\n".repeat(1_000);
  for (let pieces = 0; pieces < 175; pieces += 1) expect(sees(`${piece}x`)).toBe(false);
});
