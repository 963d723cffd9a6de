/** What a client may do. Narrowed by the person on the consent page, enforced per tool and route. */
export const SCOPES = [
  "memories:read",
  "memories:write",
  "memories:delete",
  "conversations:read",
  "data:import",
  "data:export",
] as const;
export type Scope = (typeof SCOPES)[number];

/** Those under which something of the person's is changed: what an app that was made read-only does without. */
const WRITING: readonly Scope[] = ["memories:write", "memories:delete", "data:import"];

export function isWriting(scope: Scope): boolean {
  return WRITING.includes(scope);
}

/**
 * No right: several clients ask for refresh tokens only where the server lists this. They get them anyway, and say so when
 * they refresh.
 */
export const OFFLINE_ACCESS = "offline_access";

/** For the consent page. */
export const SCOPE_MEANINGS: Readonly<Record<Scope, string>> = {
  "memories:read": "Read and search your memories",
  "memories:write": "Save and change memories, and see those that it touches",
  "memories:delete":
    "Move memories, and conversations that it may read, to the trash, and see what it moves",
  "conversations:read": "Read and search your conversations",
  "data:import": "Import memories and conversations",
  "data:export": "Export everything",
};

export function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text);
}
