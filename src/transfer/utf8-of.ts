/**
 * Files as readers take them, in UTF-8. What Windows calls Unicode text is UTF-16, and begins with a byte order mark: without one it is
 * not told from anything else, and stays as it is.
 */

/** Bytes that are decoded at once, so that a file given as one chunk is never held twice. Arbitrary; even. */
const SLICE_BYTES = 65_536;

export async function* utf8Of(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Uint8Array = new Uint8Array();
  let decode: ((chunk: Uint8Array, isLast: boolean) => Uint8Array) | null | undefined;
  for await (const chunk of bytes) {
    if (decode === null) {
      yield chunk;
      continue;
    }
    let rest = chunk;
    if (decode === undefined) {
      // Bytes may come one by one.
      rest = joined(head, chunk);
      head = rest;
      if (rest.length < 2) continue;
      decode = decoderFor(rest);
      if (decode === null) {
        yield rest;
        continue;
      }
    }
    for (let start = 0; start < rest.length; start += SLICE_BYTES) {
      yield decode(rest.subarray(start, start + SLICE_BYTES), false);
    }
  }
  if (decode === undefined && head.length > 0) yield head;
  if (decode) yield decode(new Uint8Array(), true);
}

/** Null: there is nothing to decode. */
function decoderFor([first, second]: Uint8Array) {
  const isLittle = first === 0xff && second === 0xfe;
  const isBig = first === 0xfe && second === 0xff;
  if (!isLittle && !isBig) return null;
  const decoder = new TextDecoder(isLittle ? "utf-16le" : "utf-16be");
  const encoder = new TextEncoder();
  return (chunk: Uint8Array, isLast: boolean) =>
    encoder.encode(decoder.decode(chunk, { stream: !isLast }));
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
