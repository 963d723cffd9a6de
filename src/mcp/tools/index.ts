import type { Tool } from "../tool.ts";
import { chatgptFetch } from "./chatgpt-fetch.ts";
import { chatgptSearch } from "./chatgpt-search.ts";
import { deleteMemory } from "./delete-memory.ts";
import { exportData } from "./export-data.ts";
import { getConversation } from "./get-conversation.ts";
import { getMemory } from "./get-memory.ts";
import { getStats } from "./get-stats.ts";
import { importData } from "./import-data.ts";
import { listConversations } from "./list-conversations.ts";
import { listMemories } from "./list-memories.ts";
import { saveMemory } from "./save-memory.ts";
import { searchConversations } from "./search-conversations.ts";
import { searchMemory } from "./search-memory.ts";
import { updateMemory } from "./update-memory.ts";

/** In the order in which clients list them. Names are frozen; later versions only add optional parameters. */
export const tools: readonly Tool[] = [
  searchMemory,
  saveMemory,
  listMemories,
  getMemory,
  deleteMemory,
  updateMemory,
  searchConversations,
  getConversation,
  listConversations,
  getStats,
  exportData,
  importData,
];

/** What ChatGPT's deep research and company knowledge ask for, at `/mcp?tools=chatgpt`: these two, and nothing that writes. */
export const chatgptTools: readonly Tool[] = [chatgptSearch, chatgptFetch];
