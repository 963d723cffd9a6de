import fc from "fast-check";
import { expect, test } from "vitest";
import { batchesOf, type BatchLimits, type ReadRecord } from "../../src/transfer/batches.ts";
import { identified, type IdentifiedRecord } from "../../src/transfer/identify.ts";
import type { ImportRecord } from "../../src/transfer/records.ts";

const text = fc.string({ maxLength: 30 });
const message = fc.record({
  originId: fc.option(fc.string({ minLength: 1, maxLength: 4 })),
  role: fc.constantFrom("user" as const, "assistant" as const),
  text,
  createdAt: fc.option(fc.integer({ min: 1, max: 4e12 })),
  attachments: fc.constant([]),
});
const record: fc.Arbitrary<ImportRecord> = fc.oneof(
  fc.record({
    type: fc.constant("conversation" as const),
    conversation: fc.record({
      source: fc.constant("chatgpt" as const),
      originId: fc.option(fc.string({ minLength: 1, maxLength: 4 })),
      title: text,
      createdAt: fc.constant(null),
      updatedAt: fc.constant(null),
      messages: fc.array(message, { maxLength: 12 }),
    }),
  }),
  fc.record({
    type: fc.constant("memory" as const),
    memory: fc.record({
      source: fc.constant("chatgpt" as const),
      originId: fc.constant(null),
      content: text,
      tags: fc.array(text, { maxLength: 2 }),
    }),
  }),
  fc.record({
    type: fc.constant("skipped" as const),
    kind: fc.constantFrom("conversation" as const, "message" as const),
    reason: fc.constantFrom("hidden" as const, "tool" as const),
    count: fc.integer({ min: 1, max: 9 }),
  }),
);
const limits: fc.Arbitrary<BatchLimits> = fc.record({
  chars: fc.integer({ min: 1, max: 2_000 }),
  conversations: fc.integer({ min: 1, max: 4 }),
  messages: fc.integer({ min: 1, max: 6 }),
  memories: fc.integer({ min: 1, max: 4 }),
});

async function identify(records: readonly ImportRecord[]): Promise<IdentifiedRecord[]> {
  return Array.fromAsync(identified(streamOf(records)));
}

async function* streamOf<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** Parts put together again, in the order in which they came. */
function joined(batches: readonly (readonly ReadRecord[])[]): IdentifiedRecord[] {
  const whole: IdentifiedRecord[] = [];
  let isOpen = false;
  for (const one of batches.flat()) {
    if (one.type === "skipped") continue;
    const last = whole.at(-1);
    if (one.type === "conversation" && isOpen && last?.type === "conversation") {
      expect(one.part?.previous).toEqual(last.conversation.messages.at(-1)?.provenance);
      const messages = [...last.conversation.messages, ...one.conversation.messages];
      whole[whole.length - 1] = {
        type: "conversation",
        conversation: { ...last.conversation, messages },
      };
    } else {
      whole.push(one.type === "conversation" ? { ...one, conversation: one.conversation } : one);
      if (one.type === "conversation") expect(one.part?.previous ?? null).toBeNull();
    }
    isOpen = one.type === "conversation" && one.part !== undefined && !one.part.isLast;
  }
  expect(isOpen).toBe(false);
  return whole.map((one) =>
    one.type === "conversation" ? { type: one.type, conversation: one.conversation } : one,
  );
}

test("whatever the limits, every item is in one batch, in order, and parts join to the whole", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 12 }), limits, async (records, limit) => {
      const wanted = await identify(records);
      const batches = await Array.fromAsync(batchesOf(streamOf(wanted), limit));
      expect(joined(batches)).toEqual(wanted.filter(({ type }) => type !== "skipped"));
      const skips = (of: readonly (ReadRecord | IdentifiedRecord)[]) =>
        of.reduce((sum, one) => sum + (one.type === "skipped" ? one.count : 0), 0);
      expect(skips(batches.flat())).toBe(skips(wanted));
      for (const batch of batches) {
        const chats = batch.filter((one) => one.type === "conversation");
        const messages = chats.flatMap(({ conversation }) => conversation.messages);
        expect(chats.length).toBeLessThanOrEqual(limit.conversations);
        expect(messages.length).toBeLessThanOrEqual(limit.messages);
        expect(batch.filter(({ type }) => type === "memory").length).toBeLessThanOrEqual(
          limit.memories,
        );
        const items = batch.filter(({ type }) => type !== "skipped");
        // What is alone in its batch may be larger than the limit.
        if (items.length > 1) {
          const parts = items.map((one) =>
            one.type === "conversation"
              ? [{ ...one.conversation, messages: undefined }, ...one.conversation.messages]
              : one.type === "memory"
                ? [one.memory]
                : [],
          );
          const chars = parts.flat().reduce((sum, part) => sum + JSON.stringify(part).length, 0);
          expect(chars).toBeLessThanOrEqual(limit.chars);
        }
      }
    }),
  );
});

test("the same reading and limits give the same batches", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 12 }), limits, async (records, limit) => {
      const cut = async () => Array.fromAsync(batchesOf(identified(streamOf(records)), limit));
      expect(await cut()).toEqual(await cut());
    }),
  );
});

test("equal messages without ids are told apart, and those with ids keep them", async () => {
  const said = (originId: string | null, words: string) =>
    ({ originId, role: "user", text: words, createdAt: null, attachments: [] }) as const;
  const [chat] = await identify([
    {
      type: "conversation",
      conversation: {
        source: "cursor",
        originId: null,
        title: "Yes, yes",
        createdAt: null,
        updatedAt: null,
        messages: [said(null, "Yes"), said(null, "Yes"), said("a", "Yes")],
      },
    },
  ]);
  const ids =
    chat?.type === "conversation" ? chat.conversation.messages.map((one) => one.provenance) : [];
  expect(new Set(ids.map(({ id }) => id)).size).toBe(3);
  expect(ids.map(({ isDerived }) => isDerived)).toEqual([true, true, undefined]);
  expect(ids[2]).toEqual({ id: "a" });
});
