/** What an export can be, in the words of a person who has to choose. */
export const FORMATS = [
  {
    format: "cofio",
    name: "Cofio archive (zip)",
    about:
      "Everything, with all earlier versions and the history of changes. An empty Cofio account becomes this one again from it. The best copy to keep.",
  },
  {
    format: "json",
    name: "JSON",
    about:
      "Memories and conversations as they are now, for other programs. Cofio can import it again.",
  },
  {
    format: "markdown",
    name: "Markdown",
    about: "The same as one text to read, to search or to print.",
  },
  {
    format: "pam",
    name: "Portable AI Memory",
    about: "Memories only, in an open format that other memory apps can import.",
  },
] as const;

export type Format = (typeof FORMATS)[number]["format"];

export function formatName(format: string): string {
  return FORMATS.find((one) => one.format === format)?.name ?? format;
}
