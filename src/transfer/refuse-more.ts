import { UserError } from "../errors.ts";

/** @param allowed by name, as the answer to `begin` gives them @throws UserError too_large */
export function refuseMore<Kind extends string>(
  allowed: Readonly<Record<Kind, number>>,
  sizes: Readonly<Partial<Record<Kind, number>>>,
): void {
  // True because they are its own keys.
  for (const kind of Object.keys(sizes) as Kind[]) {
    const size = sizes[kind] ?? 0;
    if (size <= allowed[kind]) continue;
    throw new UserError(
      "too_large",
      `The batch holds ${size} ${kind}, and ${allowed[kind]} are allowed.`,
      "Send what the answer to `begin` allows.",
    );
  }
}
