/** What the list of changes says of each, and offers. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { standingsOf } from "../../apps/dashboard/changes/standing.ts";

test("an undo offers to redo, and a redo to undo again", () => {
  const save = { id: "1", kind: "save" } as const;
  const undo = { id: "2", kind: "undo", undoes: "1" } as const;
  const redo = { id: "3", kind: "undo", undoes: "2" } as const;
  expect([undo, save].map(standingsOf([undo, save]))).toEqual([
    { isUndone: false, action: "Redo" },
    { isUndone: true, action: "Undo" },
  ]);
  expect([redo, undo, save].map(standingsOf([redo, undo, save]))).toEqual([
    { isUndone: false, action: "Undo" },
    { isUndone: true, action: "Redo" },
    { isUndone: false, action: "Undo" },
  ]);
});

test("whatever was undone of undos, what was done is shown as undone where the last of them took it away", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20 }), (undos) => {
      const chain = Array.from({ length: undos + 1 }, (_, at) =>
        at === 0
          ? ({ id: "0", kind: "save" } as const)
          : ({ id: `${at}`, kind: "undo", undoes: `${at - 1}` } as const),
      ).toReversed();
      const standing = standingsOf(chain);
      expect(standing({ id: "0", kind: "save" }).isUndone).toBe(undos % 2 === 1);
      expect(standing({ id: `${undos}`, kind: "undo" })).toEqual({
        isUndone: false,
        action: undos % 2 === 1 ? "Redo" : "Undo",
      });
    }),
  );
});
