/**
 * The commands of Claude's memory tool (`memory_20250818`) on the files of no project. Texts of results and errors are those of
 * `BetaLocalFilesystemMemoryTool` of `@anthropic-ai/sdk`; test/e2e/memory-tool.test.ts runs both side by side and lists what differs.
 */
import { UserError, type UserErrorCode } from "../errors.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { utf8 } from "../vault/bytes.ts";
import { listDirectory } from "./file-listing.ts";
import { readToolPath, ROOT, shownPath, TOOL_ROOT } from "./file-path.ts";
import {
  filesUnder,
  findFile,
  isDirectory,
  type Blocked,
  type FileAddress,
  type MemoryFile,
} from "./files.ts";
import type { RuleNote } from "./rules.ts";
import { changeFile, createFile, deletePath, movePath } from "./write-files.ts";

export type FileCommand =
  | {
      readonly command: "view";
      readonly path: string;
      readonly view_range?: readonly number[] | undefined;
    }
  | { readonly command: "create"; readonly path: string; readonly file_text: string }
  | {
      readonly command: "str_replace";
      readonly path: string;
      readonly old_str: string;
      readonly new_str: string;
    }
  | {
      readonly command: "insert";
      readonly path: string;
      readonly insert_line: number;
      readonly insert_text: string;
    }
  | { readonly command: "delete"; readonly path: string }
  | { readonly command: "rename"; readonly old_path: string; readonly new_path: string };

type CommandOf<Name extends FileCommand["command"]> = Extract<
  FileCommand,
  { readonly command: Name }
>;

/** So wide are the digits of the SDK's largest line number, 999999. */
const LINE_NUMBER_WIDTH = 6;
/** Lines shown before and after a change. */
const CONTEXT_LINES = 2;

/** The text of the tool's result. @throws UserError whose message is the text of a result that is an error */
export function runFileCommand(
  at: OpenAccount,
  command: FileCommand,
  caller: Caller,
): Promise<string> {
  switch (command.command) {
    case "view":
      return view(at, command);
    case "create":
      return create(at, command, caller);
    case "str_replace":
      return replace(at, command, caller);
    case "insert":
      return insert(at, command, caller);
    case "delete":
      return remove(at, command, caller);
    case "rename":
      return rename(at, command, caller);
  }
}

async function view(at: OpenAccount, { path, view_range }: CommandOf<"view">): Promise<string> {
  const address = addressOf(path);
  const file = address.path === ROOT ? null : await findFile(at, address);
  if (file !== null) {
    const lines = file.text.content.split("\n");
    const [first = 1, last = -1] = view_range?.length === 2 ? view_range : [];
    const from = Math.max(1, first) - 1;
    const shown = lines.slice(from, last === -1 ? lines.length : last);
    return `Here's the content of ${path} with line numbers:\n${numbered(shown, from)}`;
  }
  const below = address.path === ROOT ? 1 : address.path.length + 1;
  const files: { path: string; sizeBytes: number }[] = [];
  for await (const { text } of filesUnder(at, address)) {
    files.push({ path: text.path.slice(below), sizeBytes: utf8(text.content).length });
  }
  if (files.length === 0 && address.path !== ROOT) throw noSuchPath(path);
  const listing = listDirectory(path, files);
  return `Here're the files and directories up to 2 levels deep in ${path}, excluding hidden items and node_modules:\n${listing}`;
}

async function create(
  at: OpenAccount,
  { path, file_text }: CommandOf<"create">,
  caller: Caller,
): Promise<string> {
  const address = addressOf(path);
  if (address.path === ROOT) throw failed(`File ${path} already exists`);
  const result = await createFile(at, async () => address, { content: file_text }, caller);
  if (result.outcome === "below_file") throw belowFile(path, result);
  if (result.outcome !== "written") throw failed(`File ${path} already exists`);
  return withNotes(`File created successfully at: ${path}`, result.rules);
}

async function replace(
  at: OpenAccount,
  { path, old_str, new_str }: CommandOf<"str_replace">,
  caller: Caller,
): Promise<string> {
  let changedLine = 0;
  const { file, rules } = await edit(at, path, caller, (content) => {
    const matching = content
      .split("\n")
      .flatMap((line, index) => (line.includes(old_str) ? [index] : []));
    const [only] = matching;
    if (only === undefined) {
      throw failed(
        `No replacement was performed, old_str \`${old_str}\` did not appear verbatim in ${path}.`,
      );
    }
    if (matching.length > 1) {
      const lines = matching.map((index) => index + 1).join(", ");
      throw failed(
        `No replacement was performed. Multiple occurrences of old_str \`${old_str}\` in lines: ${lines}. Please ensure it is unique`,
      );
    }
    changedLine = only;
    return content.replace(old_str, () => new_str);
  });
  const from = Math.max(0, changedLine - CONTEXT_LINES);
  const shown = file.text.content.split("\n").slice(from, changedLine + CONTEXT_LINES + 1);
  return withNotes(
    `The memory file has been edited. Here is the snippet showing the change (with line numbers):\n${numbered(shown, from)}`,
    rules,
  );
}

async function insert(
  at: OpenAccount,
  { path, insert_line, insert_text }: CommandOf<"insert">,
  caller: Caller,
): Promise<string> {
  const { rules } = await edit(at, path, caller, (content) => {
    const lines = content.split("\n");
    if (insert_line < 0 || insert_line > lines.length) {
      throw failed(
        `Invalid \`insert_line\` parameter: ${insert_line}. It should be within the range of lines of the file: [0, ${lines.length}]`,
      );
    }
    return lines.toSpliced(insert_line, 0, insert_text.replace(/\n$/, "")).join("\n");
  });
  return withNotes(`The file ${path} has been edited.`, rules);
}

async function remove(
  at: OpenAccount,
  { path }: CommandOf<"delete">,
  caller: Caller,
): Promise<string> {
  const address = addressOf(path);
  if (address.path === ROOT) throw failed(`Cannot delete the ${TOOL_ROOT} directory itself`);
  const { wasFile, inside } = await deletePath(at, address, caller);
  if (!wasFile && inside === 0) throw failed(`The path ${path} does not exist`, "not_found");
  const both =
    wasFile && inside > 0
      ? [`It was a file, and a directory of ${inside} more: all are gone.`]
      : [];
  return [`Successfully deleted ${path}`, ...both].join("\n");
}

async function rename(
  at: OpenAccount,
  { old_path, new_path }: CommandOf<"rename">,
  caller: Caller,
): Promise<string> {
  const from = addressOf(old_path);
  const to = addressOf(new_path);
  if (from.path === ROOT) throw failed(`Cannot rename the ${TOOL_ROOT} directory itself`);
  if (to.path === ROOT) throw failed(`The destination ${new_path} already exists`);
  const result = await movePath(at, from, to.path, caller);
  if (result.outcome === "missing")
    throw failed(`The path ${old_path} does not exist`, "not_found");
  if (result.outcome === "below_file") throw belowFile(new_path, result);
  if (result.outcome !== "moved") throw failed(`The destination ${new_path} already exists`);
  return `Successfully renamed ${old_path} to ${new_path}`;
}

/** Changes the content of the file at a path. */
async function edit(
  at: OpenAccount,
  path: string,
  caller: Caller,
  change: (content: string) => string,
): Promise<{ readonly file: MemoryFile; readonly rules: readonly RuleNote[] }> {
  const address = addressOf(path);
  const find = async () => {
    const file = address.path === ROOT ? null : await findFile(at, address);
    if (file !== null) return { file };
    throw (await isDirectory(at, address))
      ? failed(`The path ${path} is not a file.`)
      : noSuchPath(path);
  };
  const result = await changeFile(
    at,
    { find, change: ({ content }) => ({ content: change(content) }) },
    caller,
  );
  if (result.outcome !== "written") throw new Error("A file that stays was blocked");
  return result;
}

function addressOf(path: string): FileAddress {
  return { project: null, path: readToolPath(path) };
}

/** @param above lines before the first */
function numbered(lines: readonly string[], above: number): string {
  return lines
    .map((line, index) => `${String(above + index + 1).padStart(LINE_NUMBER_WIDTH)}\t${line}`)
    .join("\n");
}

/** What the person's rules did must not go unsaid, although the SDK's tool has no such words. */
function withNotes(text: string, rules: readonly RuleNote[]): string {
  return [text, ...rules.map(({ message }) => message)].join("\n");
}

function noSuchPath(path: string): UserError {
  return failed(`The path ${path} does not exist. Please provide a valid path.`, "not_found");
}

/** Where the SDK's tool passes on what its file system says. */
function belowFile(path: string, { file: { text } }: Blocked): UserError {
  return failed(`${path} cannot be made: ${shownPath(text)} is a file, not a directory.`);
}

/** The message is all that the model reads, and says what to do where the SDK's does. */
function failed(message: string, code: UserErrorCode = "invalid_input"): UserError {
  return new UserError(code, message, "");
}
