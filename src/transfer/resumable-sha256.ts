/**
 * SHA-256 that one step puts down and the next takes up again, which the platform's own cannot. From the library's class, whose state is
 * open to a class that extends it.
 */
import { _SHA256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** Plain JSON. `rest` is the end of what was hashed, less than 64 bytes in hex: it is sealed wherever that is. */
export interface Sha256State {
  readonly words: readonly [number, number, number, number, number, number, number, number];
  readonly bytes: number;
  readonly rest: string;
}

export class ResumableSha256 extends _SHA256 {
  static from({ words, bytes, rest }: Sha256State): ResumableSha256 {
    const hash = new ResumableSha256();
    hash.set(...words);
    hash.length = bytes;
    hash.buffer.setFromHex(rest);
    hash.pos = rest.length / 2;
    return hash;
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.length;
  }

  state(): Sha256State {
    return {
      words: this.get(),
      bytes: this.length,
      rest: bytesToHex(this.buffer.subarray(0, this.pos)),
    };
  }

  /** In hex. Nothing may follow. */
  end(): string {
    return bytesToHex(this.digest());
  }
}
