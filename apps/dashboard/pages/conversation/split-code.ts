/** A message's text in parts: what is code, and what is not. Markdown's fences and backticks and no more of it, so nothing becomes a link or an image. */

export type TextPart =
  | { readonly kind: "words"; readonly text: string }
  /** Between backticks, in a line. */
  | { readonly kind: "code"; readonly text: string }
  /** Between fences, without them. An unclosed one goes to the end. `language` may be empty. */
  | { readonly kind: "block"; readonly text: string; readonly language: string };

const FENCE = /^[ \t]{0,3}(`{3,}|~{3,})[ \t]*([^\n`]*)$/;
const INLINE = /(`[^`\n]+`)/;

export function splitCode(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let words: string[] = [];
  let open: { readonly fence: string; readonly language: string; readonly lines: string[] } | null =
    null;
  const endWords = () => {
    if (words.length > 0) parts.push(...splitInline(words.join("\n")));
    words = [];
  };
  const endBlock = () => {
    if (open === null) return;
    parts.push({ kind: "block", text: open.lines.join("\n"), language: open.language });
    open = null;
  };
  for (const line of text.split("\n")) {
    const [, fence = "", info = ""] = FENCE.exec(line) ?? [];
    if (open !== null) {
      if (fence.startsWith(open.fence) && info.trim() === "") endBlock();
      else open.lines.push(line);
    } else if (fence === "") {
      words.push(line);
    } else {
      endWords();
      open = { fence, language: info.trim().split(/\s/)[0] ?? "", lines: [] };
    }
  }
  endWords();
  endBlock();
  return parts;
}

function splitInline(text: string): TextPart[] {
  return text.split(INLINE).flatMap((piece, index): TextPart[] => {
    if (piece === "") return [];
    return index % 2 === 0
      ? [{ kind: "words", text: piece }]
      : [{ kind: "code", text: piece.slice(1, -1) }];
  });
}
