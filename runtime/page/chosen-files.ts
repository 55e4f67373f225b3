/** The files of a checkpoint, as a person chooses or drops them. */

const wanted = /\.(safetensors|json|jinja)$/i;

/** Those that a checkpoint is made of, of the top of a chosen folder. */
export const checkpointFiles = (files: Iterable<File>): readonly File[] =>
  [...files].filter(({ name, webkitRelativePath: path }) => wanted.test(name) && path.split("/").length <= 2);

/** Of what was dropped; of folders what is at their top. */
export async function droppedFiles(data: DataTransfer): Promise<readonly File[]> {
  // Entries have to be taken before anything is waited for.
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const files = await Promise.all(entries.map(filesOf));
  return checkpointFiles(files.flat());
}

async function filesOf(entry: FileSystemEntry): Promise<readonly File[]> {
  if (isFile(entry)) return [await fileOf(entry)];
  if (!isFolder(entry)) return [];
  const inside = await entriesIn(entry);
  return Promise.all(inside.filter(isFile).map(fileOf));
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;
const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject));

/** A reader gives some at a time, and none when there are no more. */
async function entriesIn(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
