/** What a client was allowed: the types that the Worker and the user's object exchange. */
import type { Scope } from "./scopes.ts";

/** Paused: nothing is answered but that. Read-only: what would change something is refused. */
export const GRANT_STATES = ["active", "read_only", "paused"] as const;
export type GrantState = (typeof GRANT_STATES)[number];

/** A client's grant or an access token, as the user's object knows it. */
export interface Grant {
  readonly id: string;
  /** An app that asked for consent, a token that the person made, or one that `cofio` made for a program of this computer. */
  readonly kind: "oauth" | "token" | "program";
  /** As the client named itself, or as the person named it. */
  readonly client: string;
  readonly state: GrantState;
  readonly scopes: readonly Scope[];
  /** Whether it may decide what is the person's to decide: approve waiting memories, change rules. Never a client of OAuth. */
  readonly trusted: boolean;
}

/** What a verified request brings: the object looks it up in its allow list before anything else. */
export type GrantClaim =
  /** From an access token that the OAuth library verified; its scopes may be narrower than the grant's. */
  | { readonly kind: "oauth"; readonly grantId: string; readonly scopes: readonly string[] }
  /** From a token whose HMAC was right. */
  | { readonly kind: "token"; readonly secretHash: string };

export interface NewOAuthGrant {
  readonly id: string;
  readonly client: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly Scope[];
}

export interface NewToken {
  readonly id: string;
  readonly client: string;
  readonly secretHash: string;
  readonly scopes: readonly Scope[];
  readonly trusted?: boolean;
  /** A token of the person's own where it is not given. */
  readonly kind?: "token" | "program";
}

/** What the person changes of a grant. Scopes are only ever taken away. */
export interface GrantChange {
  readonly client?: string | undefined;
  readonly state?: GrantState | undefined;
  readonly trusted?: boolean | undefined;
  readonly scopes?: readonly Scope[] | undefined;
}

/** A line of the connected apps. Times are milliseconds UTC. */
export interface GrantLine extends Grant {
  /** Of a client of OAuth: what it registered as, or the address of the document that describes it. */
  readonly clientId: string | null;
  readonly redirectUri: string | null;
  readonly createdAt: number;
  readonly usedAt: number | null;
  /** Of the last 30 days, those on which there were any. */
  readonly calls: readonly DayOfCalls[];
}

export interface DayOfCalls {
  /** UTC, days since 1970. */
  readonly day: number;
  readonly calls: number;
}
