/** The messages of a conversation, read where somebody looks: in blocks by their positions. */
import { useQueries } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { answerOf, api } from "../../api.ts";

type Stretch = InferResponseType<(typeof api.conversations)[":id"]["messages"]["$get"]>;
export type Message = Stretch["messages"][number];
export type Conversation = Stretch["conversation"];

/** A screen shows some ten. Arbitrary. */
const BLOCK = 50;
/** From what is before a message, as the server gives it. */
const AROUND = 8;

export interface Opening {
  readonly conversation: Conversation;
  /** Behind the last position. */
  readonly end: number;
  /** Of the message that was asked for. */
  readonly position: number | null;
}

/** What has to be known before anything is shown. @param messageId to begin at */
export async function readOpening(id: string, messageId: string | null): Promise<Opening> {
  const query = messageId === null ? { limit: 1 } : { around: messageId, limit: AROUND };
  const stretch = await answerOf(api.conversations[":id"].messages.$get({ param: { id }, query }));
  const { conversation, end, messages } = stretch;
  const position = messages.find((message) => message.id === messageId)?.position ?? null;
  return { conversation, end, position };
}

/** Those read so far of the blocks that these positions are in, by position. */
export function useMessages(
  id: string,
  end: number,
  positions: readonly number[],
): ReadonlyMap<number, Message> {
  const blocks = [...new Set(positions.map((position) => Math.floor(position / BLOCK)))];
  return useQueries({
    queries: blocks.map((block) => ({
      queryKey: ["conversation", id, "block", block, end],
      queryFn: () => readBlock(id, block * BLOCK, Math.min((block + 1) * BLOCK, end)),
    })),
    combine: (answers) =>
      new Map(
        answers.flatMap(({ data = [] }) => data.map((message) => [message.position, message])),
      ),
  });
}

/** Several requests where messages are long. */
async function readBlock(id: string, start: number, end: number): Promise<Message[]> {
  const read: Message[] = [];
  let from = start;
  while (from < end) {
    const query = { from, limit: end - from };
    const { messages } = await answerOf(
      api.conversations[":id"].messages.$get({ param: { id }, query }),
    );
    const inside = messages.filter(({ position }) => position < end);
    read.push(...inside);
    const last = inside.at(-1);
    if (last === undefined || inside.length < messages.length) break;
    from = last.position + 1;
  }
  return read;
}
