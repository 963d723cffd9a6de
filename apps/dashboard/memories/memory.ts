/** A memory as the pages know it, and the words for what it is. */
import type { InferResponseType } from "hono/client";
import type { Category, Source } from "../../../src/storage/closed-lists.ts";
import type { api } from "../api.ts";

export type Memory = InferResponseType<(typeof api.memories)[":id"]["$get"]>["memory"];
export type Status = Memory["status"];

/** A row of a list; of a hit with a long text only the part that was found. */
export type FoundMemory = Omit<Memory, "content"> & {
  readonly content?: string | undefined;
  readonly snippet?: string | undefined;
  /** False: shares no word with what was asked for. */
  readonly matched?: boolean;
  readonly why?: readonly string[];
};

export const CATEGORY_NAMES: Readonly<Record<Category, string>> = {
  user_preferences: "Preferences",
  project_context: "Projects",
  personal_facts: "Personal",
  people: "People",
  decisions: "Decisions",
  goals: "Goals",
  events: "Events",
  instructions: "Instructions",
  knowledge: "Knowledge",
  other: "Other",
};

export const SOURCE_NAMES: Readonly<Record<Source, string>> = {
  mcp: "An assistant",
  api: "A program",
  dashboard: "The dashboard",
  chatgpt: "ChatGPT",
  claude: "Claude",
  gemini: "Gemini",
  deepseek: "DeepSeek",
  kimi: "Kimi",
  grok: "Grok",
  copilot: "Copilot",
  le_chat: "Le Chat",
  open_webui: "Open WebUI",
  librechat: "LibreChat",
  perplexity: "Perplexity",
  claude_code: "Claude Code",
  codex: "Codex",
  gemini_cli: "Gemini CLI",
  cursor: "Cursor",
  server_memory: "MCP server-memory",
  mem0: "Mem0",
  doobidoo: "mcp-memory-service",
  basic_memory: "Basic Memory",
  supermemory: "Supermemory",
  aimemory: "aimemory",
  pam: "PAM",
  cofio: "Cofio",
  paste: "Pasted text",
  other: "Other",
};

export const IMPORTANCE_NAMES = ["Trivial", "Minor", "Normal", "Important", "Essential"] as const;

export function textOf({ content, snippet }: FoundMemory): string {
  return content ?? snippet ?? "";
}

/** Long enough to tell it from others by ear. */
const NAME_CHARS = 60;

/** For labels of controls. */
export function nameOf(memory: FoundMemory): string {
  const text = textOf(memory);
  return text.length > NAME_CHARS ? `${text.slice(0, NAME_CHARS).toWellFormed()} …` : text;
}
