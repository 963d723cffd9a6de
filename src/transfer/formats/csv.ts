/** CSV as RFC 4180 has it, and what spreadsheets make of it. */

export interface CsvRow {
  readonly fields: readonly string[];
  /** The text ends inside of a quoted field of this row. */
  readonly isCutOff: boolean;
}

/** Every line that is not empty. In quotes a field may hold line breaks, commas, and quotes written twice. */
export function* csvRows(text: string): Generator<CsvRow> {
  let fields: string[] = [];
  let at = 0;
  while (at < text.length) {
    let field: string;
    if (text[at] === '"') {
      const quoted = quotedField(text, at + 1);
      if (quoted === null) {
        yield { fields: [...fields, text.slice(at + 1).replaceAll('""', '"')], isCutOff: true };
        return;
      }
      ({ field, at } = quoted);
    } else {
      const end = fieldEnd(text, at);
      field = text.slice(at, end);
      at = end;
    }
    fields.push(field);
    if (text[at] === ",") {
      at += 1;
      if (at < text.length) continue;
      fields.push("");
    }
    at += text.startsWith("\r\n", at) ? 2 : 1;
    if (fields.length > 1 || fields[0] !== "") yield { fields, isCutOff: false };
    fields = [];
  }
}

/** `at`: behind the closing quote and what wrongly follows it. Null where there is no closing quote. */
function quotedField(text: string, start: number): { field: string; at: number } | null {
  let field = "";
  let from = start;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return null;
    field += text.slice(from, quote);
    if (text[quote + 1] !== '"') {
      const end = fieldEnd(text, quote + 1);
      return { field: field + text.slice(quote + 1, end), at: end };
    }
    field += '"';
    from = quote + 2;
  }
}

/** A text may be cut off within a line break. */
const FIELD_END = /,|\r?\n|\r$/g;

function fieldEnd(text: string, start: number): number {
  FIELD_END.lastIndex = start;
  return FIELD_END.exec(text)?.index ?? text.length;
}
