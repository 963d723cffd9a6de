/** What the DOM's declarations, which win over those of Workers, lack for the server's sources. Nothing of it is there in a browser. */
interface Crypto {
  readonly DigestStream: typeof DigestStream;
}
