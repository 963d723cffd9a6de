/**
 * Memory stores in the shape that `client.beta.memoryStores` of `@anthropic-ai/sdk` speaks, so that the SDK works with this server's address
 * and a token. Names and types of fields, errors and statuses are those of Anthropic's API; what a store is here stands in `memory/stores.ts`.
 */
import { Hono } from "hono";
import type { Context } from "hono";
import { UserError } from "../errors.ts";
import type { MemoryFile } from "../memory/files.ts";
import { getFileVersion, listFileVersions, redactFileVersion } from "../memory/file-versions.ts";
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
import {
  createStore,
  deleteStore,
  getStore,
  listStores,
  updateStore,
  type MemoryStore,
} from "../memory/stores.ts";
import type { Scope } from "../scopes.ts";
import type { StatePlace } from "../storage/memory-files.ts";
import { makeCursor, readCursor } from "../vault/cursor.ts";
import type { ApiContext } from "./api.ts";
import {
  errorAnswer,
  memoryAnswer,
  prefixAnswer,
  rulesAnswer,
  storeAnswer,
  versionAnswer,
  written,
  type View,
} from "./memory-store-answers.ts";
import { idIn, MAX_FULL_PAGE, parseRequest as parse, versionIn } from "./memory-store-requests.ts";
import { readJson } from "./read-json.ts";
import { explained, requireScope } from "./require-scope.ts";

export function memoryStores(context: ApiContext) {
  const { account, caller, scopes } = context;
  const { keys } = account;
  const need = (scope: Scope) => requireScope(scopes, scope);
  const storeId = (c: Context<object, "/:store/*">) => idIn("memstore", c.req.param("store"));
  const storeOf = (c: Context<object, "/:store/*">) => getStore(account, storeId(c));

  /** Of the answer to a write. The content may hold more than was sent. */
  function writtenView(c: Context): View {
    const { view = "basic" } = parse("view", c.req.query());
    if (view === "full") need("memories:read");
    return view;
  }

  /** One page of what is listed whole. An item that went away meanwhile ends nothing: what lies beyond its place follows. */
  async function pageOf<Item, Place>(
    items: readonly Item[],
    query: string,
    { limit, page }: { readonly limit: number; readonly page?: string | undefined },
    order: {
      readonly placeOf: (item: Item) => Place;
      readonly isBeyond: (item: Item, place: Place) => boolean;
    },
  ): Promise<{ items: readonly Item[]; next: string | null }> {
    const after = page === undefined ? null : await readCursor<Place>(keys, query, page);
    const left = after === null ? items : items.filter((item) => order.isBeyond(item, after));
    const shown = left.slice(0, limit);
    const last = shown.at(-1);
    const hasMore = left.length > shown.length;
    return {
      items: shown,
      next:
        hasMore && last !== undefined ? await makeCursor(keys, query, order.placeOf(last)) : null,
    };
  }

  const api = new Hono()
    .post("/", async (c) => {
      need("memories:write");
      const draft = parse("newStore", await readJson(c, "Send {name}."));
      const { store, rules } = await createStore(account, draft, caller);
      return c.json({ ...storeAnswer(store), ...rulesAnswer(rules) });
    })
    .get("/", async (c) => {
      need("memories:read");
      const asked = parse("storeList", c.req.query());
      const { include_archived, limit, page } = asked;
      const from = asked["created_at[gte]"] ?? 0;
      const until = asked["created_at[lte]"] ?? Number.MAX_SAFE_INTEGER;
      const stores = (await listStores(account)).filter(
        ({ archivedAt, createdAt }) =>
          (include_archived || archivedAt === null) && createdAt >= from && createdAt <= until,
      );
      const query = JSON.stringify(["stores", include_archived, from, until]);
      const { items, next } = await pageOf(stores, query, { limit, page }, BY_TIME);
      return c.json({ data: items.map((store) => storeAnswer(store)), next_page: next });
    })
    .get("/:store", async (c) => {
      need("memories:read");
      return c.json(storeAnswer(await storeOf(c)));
    })
    .post("/:store", async (c) => {
      need("memories:write");
      const { name, description, metadata } = parse(
        "storeChanges",
        await readJson(c, "Send {name, description, metadata}, or some of them."),
      );
      const changes = {
        name: name ?? undefined,
        // Null clears it.
        description: description === null ? "" : description,
        metadata: metadata ?? undefined,
      };
      const { store, rules } = await updateStore(account, storeId(c), changes, caller);
      return c.json({ ...storeAnswer(store), ...rulesAnswer(rules) });
    })
    .delete("/:store", async (c) => {
      need("memories:delete");
      await deleteStore(account, storeId(c), caller);
      return c.json({ id: `memstore_${storeId(c)}`, type: "memory_store_deleted" });
    })
    .post("/:store/archive", async (c) => {
      need("memories:write");
      const { store } = await updateStore(account, storeId(c), { isArchived: true }, caller);
      return c.json(storeAnswer(store));
    })

    .post("/:store/memories", async (c) => {
      need("memories:write");
      const view = writtenView(c);
      const { path, content } = parse("newMemory", await readJson(c, "Send {path, content}."));
      const draft = { path, content: content ?? "" };
      const made = written(await createStoreFile(account, storeId(c), draft, caller));
      const answer = await memoryAnswer(storeId(c), made.file, view);
      return c.json({ ...answer, ...rulesAnswer(made.rules) });
    })
    .get("/:store/memories", async (c) => {
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
      const { items, next } = await pageOf(entries, query, { limit: most, page }, BY_PATH);
      const files = await openStoreFiles(account, items);
      const data = items.flatMap((entry) => {
        if (entry.id === null) return [Promise.resolve(prefixAnswer(entry.path))];
        const file = files.get(entry.id);
        return file === undefined ? [] : [answerOf(file)];
      });
      return c.json({ data: await Promise.all<object>(data), next_page: next });
    })
    .get("/:store/memories/:memory", async (c) => {
      need("memories:read");
      const { view = "full" } = parse("view", c.req.query());
      const store = await storeOf(c);
      const file = await getStoreFile(account, store, idIn("mem", c.req.param("memory")));
      return c.json(await memoryAnswer(store.id, file, view));
    })
    .post("/:store/memories/:memory", async (c) => {
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
    .delete("/:store/memories/:memory", async (c) => {
      need("memories:delete");
      const { expected_content_sha256: ifSha256 } = parse("deletion", c.req.query());
      const id = idIn("mem", c.req.param("memory"));
      await deleteStoreFile(account, storeId(c), { id, ifSha256 }, caller);
      return c.json({ id: `mem_${id}`, type: "memory_deleted" });
    })

    .get("/:store/memory_versions", async (c) => {
      need("memories:read");
      const asked = parse("versionList", c.req.query());
      const { memory_id, operation, api_key_id, session_id, service_account_id, view } = asked;
      const store = await storeOf(c);
      const filter = {
        id: memory_id === undefined ? undefined : idIn("mem", memory_id),
        change: operation,
        grantId: api_key_id,
        from: asked["created_at[gte]"],
        until: asked["created_at[lte]"],
      };
      // There are neither sessions nor service accounts here, so nothing was written by one.
      if (session_id !== undefined || service_account_id !== undefined) {
        return c.json({ data: [], next_page: null });
      }
      const limit = view === "full" ? Math.min(asked.limit, MAX_FULL_PAGE) : asked.limit;
      const query = JSON.stringify(["store versions", store.id, filter]);
      const after =
        asked.page === undefined ? null : await readCursor<StatePlace>(keys, query, asked.page);
      const page = { after, limit: limit + 1 };
      const found = await listFileVersions(account, store, filter, page);
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      const place: StatePlace | null =
        found.length > limit && last !== undefined ? [last.updatedAt, last.id, last.version] : null;
      return c.json({
        data: await Promise.all(
          shown.map((version) => versionAnswer(account, store, version, view)),
        ),
        next_page: place === null ? null : await makeCursor(keys, query, place),
      });
    })
    .get("/:store/memory_versions/:version", async (c) => {
      need("memories:read");
      const { view = "full" } = parse("view", c.req.query());
      const store = await storeOf(c);
      const found = await getFileVersion(account, store, versionIn(c.req.param("version")));
      return c.json(await versionAnswer(account, store, found, view));
    })
    .post("/:store/memory_versions/:version/redact", async (c) => {
      need("memories:delete");
      const store = await storeOf(c);
      const address = versionIn(c.req.param("version"));
      const redacted = await redactFileVersion(account, store, address, caller);
      return c.json(await versionAnswer(account, store, redacted, "full"));
    })
    .all("*", () => {
      throw new UserError("not_found", "No such route.", "");
    });

  api.onError((error, c) => errorAnswer(explained(error, context), c));
  return api;
}

/** As `listStores` gives them. */
const BY_TIME = {
  placeOf: ({ createdAt, id }: MemoryStore) => [createdAt, id] as const,
  isBeyond: ({ createdAt, id }: MemoryStore, [time, last]: readonly [number, string]) =>
    createdAt < time || (createdAt === time && id < last),
};

/** As `listStoreEntries` gives them. */
const BY_PATH = {
  placeOf: ({ path }: StoreEntry) => path,
  isBeyond: ({ path }: StoreEntry, last: string) => path > last,
};
