import { expect, test } from "vitest";
import { paceOf, withSample, type Sample } from "../../apps/dashboard/pages/import/pace.ts";
import { paceText } from "../../apps/dashboard/pages/import/progress-words.ts";

const totals = { conversation: 600, message: 6_000, memory: 10 };

test("the pace is that of the last seconds, in what most of the items are", () => {
  const samples = sampled([0, 0], [2_000, 1_000], [4_000, 3_000]);
  expect(paceOf(samples, totals)).toEqual({ kind: "message", perSecond: 750, msLeft: 4_000 });
});

test("what was done before the import was gone on with is no pace", () => {
  const samples = sampled([0, 4_000], [2_000, 4_500]);
  expect(paceOf(samples, totals)).toMatchObject({ perSecond: 250, msLeft: 6_000 });
});

test("samples of long ago count no more", () => {
  const samples = sampled([0, 0], [60_000, 1_000], [62_000, 2_000]);
  expect(samples).toHaveLength(2);
  expect(paceOf(samples, totals)).toMatchObject({ perSecond: 500 });
});

test("a batch that takes longer than the samples count has a pace too", () => {
  const samples = sampled([0, 0], [20_000, 1_000], [40_000, 2_000]);
  expect(paceOf(samples, totals)).toMatchObject({ perSecond: 50 });
});

test("nothing is said of a moment, or of what stands still", () => {
  expect(paceOf([], totals)).toBeNull();
  expect(paceOf(sampled([0, 0], [100, 50]), totals)).toBeNull();
  expect(paceOf(sampled([0, 50], [5_000, 50]), totals)).toBeNull();
});

test("a rate and a time left are said in words", () => {
  const said = (perSecond: number, msLeft: number) =>
    paceText({ kind: "message", perSecond, msLeft });
  expect([
    said(1_240.4, 180_000),
    said(1, 59_000),
    said(2.34, 61_000),
    said(12, 3 * 3_600_000),
  ]).toEqual([
    "About 3 minutes left, at 1,240 messages a second.",
    "Less than a minute left, at 1 message a second.",
    "About a minute left, at 2.3 messages a second.",
    "About 3 hours left, at 12 messages a second.",
  ]);
});

/** Each at a millisecond, with that many messages done. */
function sampled(...points: readonly (readonly [at: number, messages: number])[]) {
  return points.reduce<readonly Sample[]>(
    (samples, [at, message]) =>
      withSample(samples, { at, done: { conversation: 0, message, memory: 0 } }),
    [],
  );
}
