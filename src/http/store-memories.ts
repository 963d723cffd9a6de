/** The memories of a memory store. */
import { Hono } from "hono";
import type { Context } from "hono";
import type { MemoryFile } from "../memory/files.ts";
import {
  createStoreFile,
  deleteStoreFile,
  getStoreFile,
  listStoreEntries,
  openStoreFiles,
  readStoreFiles,
  updateStoreFile,
  type StoreEntry,
} from "../memory/store-files.ts";
import { getStore } from "../memory/stores.ts";
import type { Scope } from "../scopes.ts";
import { makeCursor, readCursor } from "../vault/cursor.ts";
import type { ApiContext } from "./api.ts";
import {
  memoryAnswer,
  prefixAnswer,
  rulesAnswer,
  written,
  type View,
} from "./memory-store-answers.ts";
import { pageOf } from "./memory-store-pages.ts";
import { idIn, MAX_FULL_PAGE, parseRequest as parse, storeIdIn } from "./memory-store-requests.ts";
import { readJson } from "./read-json.ts";
import { requireScope } from "./require-scope.ts";

export function storeMemories({ account, caller, scopes }: ApiContext) {
  const { keys } = account;
  const need = (scope: Scope) => requireScope(scopes, scope);
  const storeId = (c: Context) => storeIdIn(c.req.param("store"));
  const storeOf = (c: Context) => getStore(account, storeId(c));

  /** Of the answer to a write. The content may hold more than was sent. */
  function writtenView(c: Context): View {
    const { view = "basic" } = parse("view", c.req.query());
    if (view === "full") need("memories:read");
    return view;
  }

  return new Hono()
    .post("/", async (c) => {
      need("memories:write");
      const view = writtenView(c);
      const { path, content } = parse("newMemory", await readJson(c, "Send {path, content}."));
      const draft = { path, content: content ?? "" };
      const made = written(await createStoreFile(account, storeId(c), draft, caller));
      const answer = await memoryAnswer(storeId(c), made.file, view);
      return c.json({ ...answer, ...rulesAnswer(made.rules) });
    })
    .get("/", async (c) => {
      need("memories:read");
      const { path_prefix, depth, view, limit, page } = parse("memoryList", c.req.query());
      const store = await storeOf(c);
      const query = JSON.stringify(["store files", store.id, path_prefix, depth]);
      const most = view === "full" ? Math.min(limit, MAX_FULL_PAGE) : limit;
      const answerOf = (file: MemoryFile) => memoryAnswer(store.id, file, view);
      if (depth === 0) {
        const after = page === undefined ? 0 : await readCursor<number>(keys, query, page);
        const paging = { prefix: path_prefix, after, limit: most };
        const { answers, next } = await readStoreFiles(account, store, paging, answerOf);
        const place = next === null ? null : await makeCursor(keys, query, next);
        return c.json({ data: answers, next_page: place });
      }
      const entries = await listStoreEntries(account, store, path_prefix);
      const { items, next } = await pageOf(keys, entries, { query, limit: most, page }, BY_PATH);
      const files = await openStoreFiles(account, items);
      const data = items.flatMap((entry) => {
        if (entry.id === null) return [Promise.resolve(prefixAnswer(entry.path))];
        const file = files.get(entry.id);
        return file === undefined ? [] : [answerOf(file)];
      });
      return c.json({ data: await Promise.all<object>(data), next_page: next });
    })
    .get("/:memory", async (c) => {
      need("memories:read");
      const { view = "full" } = parse("view", c.req.query());
      const store = await storeOf(c);
      const file = await getStoreFile(account, store, idIn("mem", c.req.param("memory")));
      return c.json(await memoryAnswer(store.id, file, view));
    })
    .post("/:memory", async (c) => {
      need("memories:write");
      const view = writtenView(c);
      const { path, content, precondition } = parse(
        "memoryChanges",
        await readJson(c, "Send {content, path, precondition}, or some of them."),
      );
      const id = idIn("mem", c.req.param("memory"));
      const changes = {
        content: content ?? undefined,
        path: path ?? undefined,
        ifSha256: precondition?.content_sha256,
      };
      const made = written(await updateStoreFile(account, storeId(c), id, changes, caller));
      const answer = await memoryAnswer(storeId(c), made.file, view);
      return c.json({ ...answer, ...rulesAnswer(made.rules) });
    })
    .delete("/:memory", async (c) => {
      need("memories:delete");
      const { expected_content_sha256: ifSha256 } = parse("deletion", c.req.query());
      const id = idIn("mem", c.req.param("memory"));
      await deleteStoreFile(account, storeId(c), { id, ifSha256 }, caller);
      return c.json({ id: `mem_${id}`, type: "memory_deleted" });
    });
}

/** As `listStoreEntries` gives them. */
const BY_PATH = {
  placeOf: ({ path }: StoreEntry) => path,
  isBeyond: ({ path }: StoreEntry, last: string) => path > last,
};
