/** A directory as Claude's memory tool shows it: two levels deep, sizes in powers of 1024, hidden items and node_modules left out. */

interface Entry {
  readonly name: string;
  readonly isDirectory: boolean;
  /** Of a directory: of all that is in it. */
  size: number;
  readonly children: Map<string, Entry>;
}

const LEVELS = 2;

/** @param files paths as seen from the directory, with sizes in bytes @returns lines of size and path, the directory's own first */
export function listDirectory(
  directory: string,
  files: readonly { readonly path: string; readonly sizeBytes: number }[],
): string {
  const root: Entry = { name: directory, isDirectory: true, size: 0, children: new Map() };
  for (const { path, sizeBytes } of files) {
    root.size += sizeBytes;
    let parent = root;
    const names = path.split("/");
    for (const [level, name] of names.entries()) {
      const isDirectory = level < names.length - 1;
      // An undo or an import may have made a file and a directory of one name.
      const key = isDirectory ? `${name}/` : name;
      const entry = parent.children.get(key) ?? {
        name,
        isDirectory,
        size: 0,
        children: new Map<string, Entry>(),
      };
      entry.size += sizeBytes;
      parent.children.set(key, entry);
      parent = entry;
    }
  }
  const lines = linesOf(root, "", 1).map(({ size, path }) => `${size}\t${directory}/${path}`);
  return [`${fileSize(root.size)}\t${directory}`, ...lines].join("\n");
}

function linesOf(
  { children }: Entry,
  above: string,
  level: number,
): { readonly size: string; readonly path: string }[] {
  if (level > LEVELS) return [];
  return [...children.values()]
    .filter(({ name }) => !name.startsWith(".") && name !== "node_modules")
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .flatMap((entry) => {
      const path = `${above}${entry.name}${entry.isDirectory ? "/" : ""}`;
      return [{ size: fileSize(entry.size), path }, ...linesOf(entry, path, level + 1)];
    });
}

function fileSize(bytes: number): string {
  if (bytes === 0) return "0B";
  const unit = Math.floor(Math.log(bytes) / Math.log(1024));
  const size = bytes / 1024 ** unit;
  return `${size % 1 === 0 ? size.toString() : size.toFixed(1)}${"BKMG".charAt(unit)}`;
}
