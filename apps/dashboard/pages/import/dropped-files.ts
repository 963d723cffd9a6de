/** Files of a drop, those in dropped folders too: some browsers unzip what they download. */
export async function filesDropped({ items }: DataTransfer): Promise<File[]> {
  const files: File[] = [];
  const folders: FileSystemDirectoryEntry[] = [];
  // All at once: the list is empty as soon as the drop's event is over.
  for (const item of items) {
    const entry = item.webkitGetAsEntry();
    const file = entry !== null && isFolder(entry) ? null : item.getAsFile();
    if (file !== null) files.push(file);
    if (entry !== null && isFolder(entry)) folders.push(entry);
  }
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await entriesOf(folder)) {
      if (isFolder(entry)) folders.push(entry);
      else if (isFile(entry)) files.push(await fileOf(entry));
    }
  }
  return files;
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((found, fail) => entry.file(found, fail));
}

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  // It gives them in portions, of 100 in Chromium, and an empty one at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((found, fail) =>
      reader.readEntries(found, fail),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}
