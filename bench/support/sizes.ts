/** `--sizes 100,1000` as numbers. @throws Error for what is none, or less than `least` */
export function sizesOf(option: string, { least }: { readonly least: number }): number[] {
  return option.split(",").map((word) => {
    const size = Number(word);
    if (!Number.isInteger(size) || size < least) {
      throw new Error(`--sizes takes whole numbers from ${least} on, not "${word}"`);
    }
    return size;
  });
}
