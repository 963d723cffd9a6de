/** A part of a conversation finds the same places whether all of what is stored is read or only what it needs. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { CONTEXT_TURNS } from "../../src/storage/message-index.ts";
import type { KnownMessage } from "../../src/storage/imports.ts";
import { mergeOrder, startOfMerge, type PartPlace } from "../../src/transfer/conversation-order.ts";

const KEYS = Array.from("abcdefghijklmnopqrstuvwxyz");
const THIS_IMPORT = "this import";

function storedAt(position: number, key: string, createdOp: string): KnownMessage {
  return {
    conversation: "c",
    id: key,
    originKey: key,
    hash: "h",
    position,
    version: 1,
    tokenCount: 1,
    sizeBytes: 1,
    createdOp,
    changedOp: createdOp,
  };
}

const scene = fc
  .record({
    stored: fc.shuffledSubarray(KEYS),
    incoming: fc.shuffledSubarray(KEYS, { maxLength: 8 }),
    previous: fc.option(fc.constantFrom(...KEYS)),
    isLast: fc.boolean(),
    isMadeByImport: fc.boolean(),
    brought: fc.integer({ min: 0, max: KEYS.length }),
  })
  .map(({ stored, incoming, previous, isLast, isMadeByImport, brought }) => ({
    incoming: incoming.filter((key) => key !== previous).map((key) => ({ key })),
    stored: stored.map((key, position) =>
      storedAt(position, key, isMadeByImport || position < brought ? THIS_IMPORT : "earlier"),
    ),
    part: {
      previous,
      isLast,
      isMadeByImport: isMadeByImport && stored.length > 0,
      operationId: THIS_IMPORT,
    } satisfies PartPlace,
  }));

test("a part needs to know the messages that it names, the edges, and those from the first place where something new comes", () => {
  fc.assert(
    fc.property(scene, ({ incoming, stored, part }) => {
      const all = mergeOrder(incoming, { messages: stored, isComplete: true }, part);

      const asked = new Set([...incoming.map(({ key }) => key), part.previous]);
      const isEdge = (at: number) => at === 0 || at === stored.length - 1;
      const known = stored.filter(({ originKey }, at) => asked.has(originKey) || isEdge(at));
      const start = startOfMerge(incoming, known, part);
      const isRead = (at: number) => start !== null && at >= start - CONTEXT_TURNS;
      const messages = stored.filter((one, at) => known.includes(one) || isRead(at));
      const isComplete = messages.length === stored.length;
      const some = mergeOrder(incoming, { messages, isComplete }, part);

      expect(some.isTurned).toBe(all.isTurned);
      const keys = new Set(some.placed.map(({ key }) => key));
      expect(some.placed).toEqual(all.placed.filter(({ key }) => keys.has(key)));
      // Nothing that is left unread moves.
      for (const { key, position, stored: was } of all.placed) {
        if (!keys.has(key)) expect(was?.position).toBe(position);
      }
    }),
    { numRuns: 2_000 },
  );
});
