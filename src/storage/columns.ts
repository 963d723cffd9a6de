/** Columns of a table as the lists that hand-written INSERT and UPDATE statements need, so that no column is ever forgotten in one. */
import { getTableColumns } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";

export interface ColumnLists {
  /** `a, b, body` */
  readonly names: string;
  /** `j->>'a', j->>'b', unhex(j->>'body')`: the values from a JSON parameter called j. */
  readonly fromJson: string;
  /** `j->>0, j->>1, unhex(j->>2)`: the same from a list of the values, in half the time; `valuesOf` makes it. */
  readonly fromList: string;
  readonly keys: readonly string[];
  /** `a = j->>'a', …` */
  readonly assignments: string;
  /** `a = excluded.a, …` */
  readonly excluded: string;
}

/** @param json SQL expression of one JSON object whose keys are the schema's property names */
export function columnLists(
  table: SQLiteTable,
  except: readonly string[],
  json = "j",
): ColumnLists {
  const columns = Object.entries(getTableColumns(table))
    .filter(([key]) => !except.includes(key))
    .map(([key, { name }], place) => ({
      key,
      name,
      value: name === "body" ? `unhex(${json}->>'${key}')` : `${json}->>'${key}'`,
      listed: name === "body" ? `unhex(${json}->>${place})` : `${json}->>${place}`,
    }));
  return {
    names: columns.map(({ name }) => name).join(", "),
    fromJson: columns.map(({ value }) => value).join(", "),
    fromList: columns.map(({ listed }) => listed).join(", "),
    keys: columns.map(({ key }) => key),
    assignments: columns.map(({ name, value }) => `${name} = ${value}`).join(", "),
    excluded: columns.map(({ name }) => `${name} = excluded.${name}`).join(", "),
  };
}

/** Of a row, in the order of the columns. */
export function valuesOf({ keys }: ColumnLists, row: Readonly<Record<string, unknown>>): unknown[] {
  return keys.map((key) => row[key]);
}

export function prefixed(alias: string, names: string): string {
  return names
    .split(", ")
    .map((name) => `${alias}.${name}`)
    .join(", ");
}
