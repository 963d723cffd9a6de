/**
 * Reading JSON that nobody promised a shape for. Guards instead of schemas: a reader must take what is sound in an element and
 * leave the rest, where a schema would refuse the element.
 */

/** Only for fixed names: keys that the file chooses (`__proto__` among them) are read with `Object.entries` or put into a `Map`. */
export interface JsonObject {
  readonly [key: string]: unknown;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function has(value: JsonObject, key: string): boolean {
  return Object.hasOwn(value, key);
}

/** Empty where the value is no list. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Null where the value is no string or an empty one. */
export function idOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
