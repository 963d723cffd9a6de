/** The versions of a memory store's memories. */
import { Hono } from "hono";
import type { Context } from "hono";
import { getFileVersion, listFileVersions, redactFileVersion } from "../memory/file-versions.ts";
import { getStore } from "../memory/stores.ts";
import type { Scope } from "../scopes.ts";
import type { StatePlace } from "../storage/memory-files.ts";
import { makeCursor, readCursor } from "../vault/cursor.ts";
import type { ApiContext } from "./api.ts";
import { versionAnswer } from "./memory-store-answers.ts";
import {
  idIn,
  MAX_FULL_PAGE,
  parseRequest as parse,
  storeIdIn,
  versionIn,
} from "./memory-store-requests.ts";
import { requireScope } from "./require-scope.ts";

export function storeVersions({ account, caller, scopes }: ApiContext) {
  const { keys } = account;
  const need = (scope: Scope) => requireScope(scopes, scope);
  const storeOf = (c: Context) => getStore(account, storeIdIn(c.req.param("store")));

  return new Hono()
    .get("/", async (c) => {
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
    .get("/:version", async (c) => {
      need("memories:read");
      const { view = "full" } = parse("view", c.req.query());
      const store = await storeOf(c);
      const found = await getFileVersion(account, store, versionIn(c.req.param("version")));
      return c.json(await versionAnswer(account, store, found, view));
    })
    .post("/:version/redact", async (c) => {
      need("memories:delete");
      const store = await storeOf(c);
      const address = versionIn(c.req.param("version"));
      const redacted = await redactFileVersion(account, store, address, caller);
      return c.json(await versionAnswer(account, store, redacted, "full"));
    });
}
