/** What tells, piece by piece, whether an event stream has had a message. Of what came before it keeps a few characters: however long a stream is, each one is looked at once. */
export function firstMessage(): (piece: string) => boolean {
  let tail = "\n";
  let hasData = false;
  return (piece) => {
    let text = tail + piece;
    if (!hasData) {
      const at = text.indexOf(DATA);
      if (at === -1) {
        tail = text.slice(1 - DATA.length);
        return false;
      }
      hasData = true;
      text = text.slice(at + 1);
    }
    tail = text.slice(-BLANK_LINE_CHARS);
    return /\n\r?\n/.test(text);
  };
}

/** WHATWG HTML §9.2.6: at the beginning of a line; an empty line ends the event. */
const DATA = "\ndata:";
/** All of it but the last one. */
const BLANK_LINE_CHARS = "\n\r".length;
