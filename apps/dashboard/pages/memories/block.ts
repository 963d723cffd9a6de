/** Memories as one text to paste into another assistant, no longer than what its field takes. */

export interface Target {
  readonly name: string;
  /** Where the text goes. */
  readonly place: string;
  readonly maxChars: number;
  /** Whether its makers say so; else it is about that much. */
  readonly isPublished: boolean;
}

/** As of November 2026. ChatGPT's field refuses more; of Claude's no limit is published, and 1,500 is what people report. */
export const TARGETS: readonly Target[] = [
  {
    name: "ChatGPT",
    place: "Settings, Personalization, Custom instructions",
    maxChars: 1_500,
    isPublished: true,
  },
  {
    name: "Claude",
    place: "Settings, Profile, Preferences",
    maxChars: 1_500,
    isPublished: false,
  },
  // Arbitrary: some 5,000 tokens, which every assistant reads at once.
  { name: "A chat", place: "any chat, as a message", maxChars: 20_000, isPublished: false },
];

const HEAD = "About me, from my own notes:";

/**
 * In the order given and none in part: what is longer than the room left is passed over, and a shorter one after it may still find room.
 * @returns the text, empty without any of them, and how many found room
 */
export function blockOf(
  contents: readonly string[],
  maxChars: number,
): { readonly text: string; readonly fitting: number } {
  let text = HEAD;
  let fitting = 0;
  for (const content of contents) {
    const line = `\n- ${content.trim().replaceAll(/\s*\n\s*/gu, " ")}`;
    if (text.length + line.length > maxChars) continue;
    text += line;
    fitting += 1;
  }
  return { text: fitting === 0 ? "" : text, fitting };
}
