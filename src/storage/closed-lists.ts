/**
 * The lists whose members stand in the clear in every row, closed so that they never hold a person's words.
 * Append only: a stored value must stay readable.
 */
export const CATEGORIES = [
  "user_preferences",
  "project_context",
  "personal_facts",
  "people",
  "decisions",
  "goals",
  "events",
  "instructions",
  "knowledge",
  "other",
] as const;
export type Category = (typeof CATEGORIES)[number];

/** Where a row came from: a way in, or the platform of the export that it stood in. */
export const SOURCES = [
  "mcp",
  "api",
  "dashboard",
  "chatgpt",
  "claude",
  "gemini",
  "deepseek",
  "kimi",
  "grok",
  "copilot",
  "le_chat",
  "open_webui",
  "librechat",
  "perplexity",
  "claude_code",
  "codex",
  "gemini_cli",
  "cursor",
  "server_memory",
  "mem0",
  "doobidoo",
  "basic_memory",
  "supermemory",
  "aimemory",
  "pam",
  "cofio",
  "paste",
  "other",
] as const;
export type Source = (typeof SOURCES)[number];

export const ROLES = ["user", "assistant", "system", "tool"] as const;
export type Role = (typeof ROLES)[number];

/** The member that a person means: "Claude Code" is claude_code. Null: none. */
export function memberNamed<Member extends string>(
  list: readonly Member[],
  name: string,
): Member | null {
  const known = name.toLowerCase().replaceAll(/[\s-]+/gu, "_");
  return list.find((member) => member === known) ?? null;
}
