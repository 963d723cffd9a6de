import type { Source } from "../../../src/storage/closed-lists.ts";

/** Those whose name does not follow from how it is stored. */
const NAMES: Partial<Record<Source, string>> = {
  mcp: "An assistant",
  api: "A program",
  dashboard: "The dashboard",
  chatgpt: "ChatGPT",
  deepseek: "DeepSeek",
  le_chat: "Le Chat",
  open_webui: "Open WebUI",
  librechat: "LibreChat",
  claude_code: "Claude Code",
  gemini_cli: "Gemini CLI",
  mem0: "Mem0",
  aimemory: "AI Memory",
  pam: "Portable AI Memory",
  paste: "Pasted text",
};

/** Where something came from, as its makers write it. */
export function platformName(source: Source): string {
  const words = source.replaceAll("_", " ");
  return NAMES[source] ?? words.charAt(0).toUpperCase() + words.slice(1);
}
