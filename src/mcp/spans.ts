import { readTimePhrase } from "../search/time-phrase.ts";

/** `after` begins with the span that it names, `before` ends where that begins. @throws UserError invalid_input */
export function spanOf(
  { after, before }: { readonly after?: string | undefined; readonly before?: string | undefined },
  now: number,
  timeZone: string,
): { after?: number; before?: number } {
  return {
    ...(after === undefined ? {} : { after: readTimePhrase(after, now, timeZone).start }),
    ...(before === undefined ? {} : { before: readTimePhrase(before, now, timeZone).start }),
  };
}
