/**
 * Paths of memory files. A path begins with / and stands within a project; Claude's memory tool sees those of no project under
 * /memories. Directories are not stored: they are what the paths of files say.
 */
import { UserError } from "../errors.ts";
import { utf8 } from "../vault/bytes.ts";

/** Where Claude's memory tool has its files. */
export const TOOL_ROOT = "/memories";
export const ROOT = "/";
/** Holds the roots of all stores. */
export const ABOVE_ROOTS = "";

/** Both as in Anthropic's memory stores. */
const MAX_PATH_BYTES = 1_024;
const MAX_SEGMENTS = 20;

/** Control and format characters, lone surrogates, and the separators of lines and paragraphs. */
const UNWANTED = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;
/** Separators and dots in disguise, encoded once or several times: some program on the way might take them for what they hide. */
const DISGUISED = /%(?:25)*(?:2e|2f|5c|00)|\\/iu;

/** The directories above a path, from the root. */
export function directoriesOf(path: string): string[] {
  if (path === ROOT) return [ABOVE_ROOTS];
  const segments = path.split("/").slice(1, -1);
  return [ROOT, ...segments.map((_, last) => `/${segments.slice(0, last + 1).join("/")}`)];
}

/** Whether a path lies below a directory. */
export function isBelow(path: string, directory: string): boolean {
  return path !== directory && path.startsWith(directory === ROOT ? ROOT : `${directory}/`);
}

/** What a path means to Claude's memory tool, normalised. @throws UserError invalid_input, in the words of the SDK's local tool where it has some */
export function readToolPath(text: string): string {
  if (text !== TOOL_ROOT && !text.startsWith(`${TOOL_ROOT}/`)) {
    throw refused(`Path must start with ${TOOL_ROOT}, got: ${text}`);
  }
  const segments = text
    .slice(TOOL_ROOT.length)
    .split("/")
    .filter((segment) => segment !== "" && segment !== ".");
  if (segments.includes("..")) {
    throw refused(`Path ${text} would escape ${TOOL_ROOT} directory`);
  }
  const path = `/${segments.join("/")}`.normalize("NFC");
  const problem = path === ROOT ? null : problemOf(path);
  if (problem !== null) throw refused(`Path ${text} cannot be used: ${problem}.`);
  return path;
}

/** Whether a file may stand there; at the root of a project the memory that makes it a store. */
export function isPath(path: string, project: string | undefined): boolean {
  return path === ROOT ? project !== undefined && project !== "" : problemOf(path) === null;
}

/** Another path in the same directory, for a file that is not to take the first one's place. @param name without / */
export function pathBeside(path: string, name: string): string {
  let beside = path;
  while (utf8(`${beside}.${name}`).length > MAX_PATH_BYTES) {
    beside = beside.slice(0, -1).toWellFormed().replace("\ufffd", "");
  }
  return `${beside}.${name}`;
}

/** What is wrong with the path of a file; null: nothing. */
export function problemOf(path: string): string | null {
  if (!path.startsWith("/")) return "a path begins with /";
  const segments = path.slice(1).split("/");
  if (segments.some((segment) => ["", ".", ".."].includes(segment))) {
    return "no part of a path is empty, . or ..";
  }
  if (segments.length > MAX_SEGMENTS) return `a path has at most ${MAX_SEGMENTS} parts`;
  if (DISGUISED.test(path)) return "a path holds no backslashes, encoded separators or dots";
  if (UNWANTED.test(path)) return "a path holds no control or format characters";
  if (path !== path.normalize("NFC")) return "a path is in Unicode Normalization Form C";
  if (utf8(path).length > MAX_PATH_BYTES) return `a path has at most ${MAX_PATH_BYTES} bytes`;
  return null;
}

/** As people and assistants know it: of no project as the memory tool names it, else within its project. */
export function shownPath({
  path,
  project,
}: {
  readonly path?: string;
  readonly project?: string;
}): string | undefined {
  return path === undefined || project !== undefined ? path : `${TOOL_ROOT}${path}`;
}

function refused(message: string): UserError {
  return new UserError("invalid_input", message, "");
}
