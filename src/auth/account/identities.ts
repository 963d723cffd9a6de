/** Identity providers as ways in: those that the person has, and those that they may add (`/link/PROVIDER`). */
import { Hono } from "hono";
import { UserError } from "../../errors.ts";
import { confirmedOnly } from "../confirmed.ts";
import { listIdentities, removeIdentity } from "../identity/identities.ts";
import { identityProviders } from "../identity/providers.ts";
import type { AccountEnv } from "./session-only.ts";

export const identities = new Hono<AccountEnv>()
  .get("/", async (c) => {
    const own = await listIdentities(c.env, c.var.person.id);
    const providers = identityProviders(c.env);
    return c.json({
      identities: own.map(({ id, issuer, createdAt }) => {
        const provider = providers.find((one) => one.issuer === issuer);
        return {
          id,
          name: provider?.name ?? issuer,
          created_at: createdAt.toISOString(),
          /** False: this server has no settings for it any more, so it signs nobody in. */
          is_usable: provider !== undefined,
        };
      }),
      /** Of what is set up here, what the person has not added. */
      addable: providers
        .filter(({ issuer }) => !own.some((identity) => identity.issuer === issuer))
        .map(({ id, name }) => ({ id, name })),
    });
  })
  .delete("/:id", confirmedOnly, async (c) => {
    const { id: userId } = c.var.person;
    const id = c.req.param("id");
    if (!(await listIdentities(c.env, userId)).some((identity) => identity.id === id)) {
      throw new UserError("not_found", "There is no such way in.", "It may have been removed.");
    }
    if (!(await removeIdentity(c.env, userId, id))) {
      throw new UserError(
        "forbidden",
        "This is the last way into your account.",
        "Add a passkey first.",
      );
    }
    return c.json({ removed: id });
  });
