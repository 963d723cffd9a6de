/** The history of the files of a memory store: every state that one of them had, and taking the text of an earlier one out for good. */
import { UserError } from "../errors.ts";
import type { MemoryState, StateFilter, StatePlace } from "../storage/memory-files.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { operationOf } from "./change.ts";
import { ROOT } from "./file-path.ts";
import { directoryToken, openText, sealText, type MemoryText } from "./memory.ts";
import type { MemoryStore } from "./stores.ts";

export interface FileVersion extends Omit<MemoryState, "body"> {
  readonly text: MemoryText;
}

/** One that a listing gives. */
export interface VersionAddress {
  readonly id: string;
  readonly version: number;
}

/** Newest first. */
export async function listFileVersions(
  at: OpenAccount,
  store: MemoryStore,
  filter: StateFilter,
  page: { readonly after: StatePlace | null; readonly limit: number },
): Promise<FileVersion[]> {
  const root = await directoryToken(at.keys, store.name, ROOT);
  const states = await at.memoryFiles.states(root, filter, page);
  return Promise.all(
    states.map(async (state) => ({ ...state, text: await openText(at.keys, state) })),
  );
}

/** @throws UserError not_found */
export async function getFileVersion(
  at: OpenAccount,
  store: MemoryStore,
  address: VersionAddress,
): Promise<FileVersion> {
  const [found] = await listFileVersions(at, store, address, { after: null, limit: 1 });
  if (found !== undefined) return found;
  throw new UserError(
    "not_found",
    "There is no such version in this store.",
    "List the versions of the store.",
  );
}

/**
 * Takes out the text of an earlier state, also in an archived store, wherever it still stands: in other states that share it, and in the trash. No undo brings it back.
 * @throws UserError not_found, invalid_input (it is the present text)
 */
export async function redactFileVersion(
  at: OpenAccount,
  store: MemoryStore,
  address: VersionAddress,
  caller: Caller,
): Promise<FileVersion> {
  const { id, bodyVersion, text } = await getFileVersion(at, store, address);
  if (text.redacted === undefined) {
    const redacted = await sealText(
      at.keys,
      { id, version: bodyVersion },
      {
        content: "",
        tags: [],
        ...(text.project === undefined ? {} : { project: text.project }),
        ...(text.provenance === undefined ? {} : { provenance: text.provenance }),
        redacted: { at: caller.now, grantId: caller.grantId },
      },
    );
    const isDone = await at.memoryFiles.redact({ id, bodyVersion }, redacted, operationOf(caller));
    const after = await getFileVersion(at, store, address);
    // Another client may have been faster.
    if (isDone || after.text.redacted !== undefined) return after;
    throw new UserError(
      "invalid_input",
      "This version holds the memory's present text.",
      "Change or delete the memory first.",
    );
  }
  return getFileVersion(at, store, address);
}
