/** How a format writes what a text holds, in its order. */
import type { Conversation, Message } from "../conversations/conversation.ts";
import type { Memory } from "../memory/memory.ts";
import type { TextPlan } from "./export.ts";

export interface Writer {
  start(plan: TextPlan, userId: string): string;
  /** `index`: how many stand before it. */
  memory(memory: Memory, index: number): string | Promise<string>;
  memoriesEnd(count: number, plan: TextPlan): string;
  conversation(conversation: Conversation, index: number): string;
  message(message: Message, index: number): string;
  conversationEnd(): string;
  conversationsEnd(count: number): string;
  end(plan: TextPlan): string;
}

export function iso(time: number): string {
  return new Date(time).toISOString();
}

/** Of a JSON list with an item a line. */
export function listLine(text: string, index: number): string {
  return `${index === 0 ? "" : ","}\n${text}`;
}
