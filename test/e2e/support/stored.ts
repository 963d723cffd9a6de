/** What an account holds, read back over the HTTP API as any client reads it. */
import type { Server } from "./server.ts";

export interface StoredMessage {
  readonly role: string;
  /** With the text of what was attached. */
  readonly text: string;
  readonly created_at?: string;
  readonly name?: string;
  readonly model?: string;
}

export interface StoredConversation {
  readonly title: string;
  readonly platform: string;
  readonly project?: string;
  readonly created_at: string;
  readonly updated_at: string;
  /** In order. */
  readonly messages: readonly StoredMessage[];
}

export interface StoredMemory {
  readonly content: string;
  readonly category: string;
  readonly tags?: readonly string[];
  readonly project?: string;
  readonly source: string;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface Stored {
  readonly conversations: readonly StoredConversation[];
  readonly memories: readonly StoredMemory[];
}

export async function readStored(server: Server, token: string): Promise<Stored> {
  const conversations: StoredConversation[] = [];
  for (const { id, message_count: count } of await listed(server, token, "conversations")) {
    const { messages, conversation } = await wholeConversation(server, token, id);
    if (messages.length !== count) {
      throw new Error(`Conversation ${id} says ${count} messages and has ${messages.length}`);
    }
    const { title, platform, project, created_at, updated_at } = conversation;
    const about = { title, platform, ...(project === undefined ? {} : { project }) };
    conversations.push({ ...about, created_at, updated_at, messages });
  }
  const memories = await listed(server, token, "memories");
  return {
    conversations,
    memories: memories.map(
      ({ content, category, tags, project, source, created_at, updated_at }) => ({
        content,
        category,
        ...(tags === undefined ? {} : { tags }),
        ...(project === undefined ? {} : { project }),
        source,
        created_at,
        updated_at,
      }),
    ),
  };
}

/** All pages of a list. */
async function listed(
  server: Server,
  token: string,
  kind: "conversations" | "memories",
): Promise<any[]> {
  const items: any[] = [];
  let cursor = "";
  do {
    const page = await get(server, token, `/api/${kind}?limit=100${cursor}`);
    items.push(...page[kind]);
    cursor =
      page.next_cursor === undefined ? "" : `&cursor=${encodeURIComponent(page.next_cursor)}`;
  } while (cursor !== "");
  return items;
}

async function wholeConversation(
  server: Server,
  token: string,
  id: string,
): Promise<{ readonly conversation: any; readonly messages: readonly StoredMessage[] }> {
  const messages: StoredMessage[] = [];
  for (let from = 0; ;) {
    const page = await get(server, token, `/api/conversations/${id}/messages?from=${from}`);
    for (const { id: _id, position, ...message } of page.messages) {
      // Each page goes on behind the last, so that what stands twice or out of order is noticed.
      if (position < from) throw new Error(`Message ${position} of ${id} comes after ${from - 1}`);
      from = position + 1;
      messages.push(message);
    }
    if (page.messages.length === 0 || from >= page.end) {
      return { conversation: page.conversation, messages };
    }
  }
}

async function get(server: Server, token: string, path: string): Promise<any> {
  const response = await fetch(server.origin + path, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}
