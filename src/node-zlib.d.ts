/** What the Worker takes of Node's zlib, which workerd has natively. All of Node's types would let the rest of Node in unnoticed. */
declare module "node:zlib" {
  export const constants: { readonly Z_SYNC_FLUSH: number };
  export function deflateRawSync(
    data: Uint8Array,
    options: { readonly finishFlush: number },
  ): Uint8Array;
  export function inflateRawSync(data: Uint8Array): Uint8Array;
  export function crc32(data: Uint8Array, previous?: number): number;
}
