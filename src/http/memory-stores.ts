/**
 * Memory stores in the shape that `client.beta.memoryStores` of `@anthropic-ai/sdk` speaks, so that the SDK works with this server's address
 * and a token. Names and types of fields, errors and statuses are those of Anthropic's API; what a store is here stands in `memory/stores.ts`.
 */
import { Hono } from "hono";
import type { Context } from "hono";
import { UserError } from "../errors.ts";
import {
  createStore,
  deleteStore,
  getStore,
  listStores,
  updateStore,
  type MemoryStore,
} from "../memory/stores.ts";
import type { Scope } from "../scopes.ts";
import type { ApiContext } from "./api.ts";
import { errorAnswer, rulesAnswer, storeAnswer } from "./memory-store-answers.ts";
import { pageOf } from "./memory-store-pages.ts";
import { parseRequest as parse, storeIdIn } from "./memory-store-requests.ts";
import { readJson } from "./read-json.ts";
import { explained, requireScope } from "./require-scope.ts";
import { storeMemories } from "./store-memories.ts";
import { storeVersions } from "./store-versions.ts";

export function memoryStores(context: ApiContext) {
  const { account, caller, scopes } = context;
  const { keys } = account;
  const need = (scope: Scope) => requireScope(scopes, scope);
  const storeId = (c: Context) => storeIdIn(c.req.param("store"));
  const storeOf = (c: Context) => getStore(account, storeId(c));

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
      const { items, next } = await pageOf(keys, stores, { query, limit, page }, BY_TIME);
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
    .route("/:store/memories", storeMemories(context))
    .route("/:store/memory_versions", storeVersions(context))
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
