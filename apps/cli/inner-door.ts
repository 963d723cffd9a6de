/** What the local server's own process and its Worker agree on. Nobody else can reach the Worker: `front.ts` takes these headers from all others. */

export const KEY_HEADER = "x-cofio-key";
/** "1": a browser that opened the link of `cofio serve --http`. */
export const PERSON_HEADER = "x-cofio-person";
export const PREPARE_PATH = "/local/prepare";
export const TOKEN_PATH = "/local/token";
