import fc from "fast-check";
import { expect, test } from "vitest";
import { csvRows } from "../../../src/transfer/formats/csv.ts";

const quoted = (field: string) => `"${field.replaceAll('"', '""')}"`;

test("whatever stands in quotes comes back, with either line end and with or without the last", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.string({ unit: "binary" }), { minLength: 2 })),
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
      (rows, lineEnd, isClosed) => {
        const text = rows.map((fields) => fields.map(quoted).join(",")).join(lineEnd);
        expect([...csvRows(isClosed ? `${text}${lineEnd}` : text)]).toEqual(
          rows.map((fields) => ({ fields, isCutOff: false })),
        );
      },
    ),
  );
});

test("any text at all is rows, and nothing of it is lost", () => {
  const part = fc.constantFrom('"', '""', ",", "\n", "\r\n", "a", " ", '",', ',"');
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const letters = (text: string) => text.replaceAll(/[^a ]/g, "");
      const fields = [...csvRows(parts.join(""))].flatMap((row) => row.fields);
      expect(letters(fields.join(""))).toBe(letters(parts.join("")));
    }),
  );
});

test("a field that is never closed takes no longer than its length", () => {
  for (const text of [
    '"'.repeat(300_001),
    '"a'.repeat(200_000),
    '",'.repeat(200_000),
    "\r".repeat(300_000),
  ]) {
    expect([...csvRows(text)].length).toBeGreaterThan(0);
  }
});
