/** A made-up export in ChatGPT's shape, zipped: some 120 MB of JSON, written piece by piece. */
import { createWriteStream } from "node:fs";
import { Writable } from "node:stream";
import { ZipWriter } from "@zip.js/zip.js";
import { messageOf, randomOf } from "../runtime/synthetic.ts";

export interface ExportSize {
  readonly conversations: number;
  readonly messages: number;
}

/** @returns bytes of the JSON inside */
export async function writeChatgptExport(file: string, size: ExportSize): Promise<number> {
  let bytes = 0;
  const chunks = pieces(size);
  const json = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { done, value } = chunks.next();
      if (done === true) return controller.close();
      const chunk = Buffer.from(value);
      bytes += chunk.length;
      controller.enqueue(chunk);
    },
  });
  const zip = new ZipWriter(Writable.toWeb(createWriteStream(file)));
  await zip.add("conversations.json", json);
  await zip.close();
  return bytes;
}

/** Lengths as uneven as in life: most chats are short, some are very long. */
function* pieces({ conversations, messages }: ExportSize): Generator<string> {
  const random = randomOf("lengths of chats");
  const weights = Array.from({ length: conversations }, () => -Math.log(1 - random()) + 0.15);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let number = 0;
  let share = 0;
  yield "[";
  for (const [index, weight] of weights.entries()) {
    share += weight;
    const end = index === conversations - 1 ? messages : Math.round((share / total) * messages);
    if (index > 0) yield ",\n";
    yield JSON.stringify(conversationOf(index, number, Math.max(number + 1, end)));
    number = Math.max(number + 1, end);
  }
  yield "]\n";
}

function conversationOf(index: number, from: number, to: number) {
  const id = `conversation-${index}`;
  const mapping: Record<string, unknown> = {
    root: { id: "root", message: null, parent: null, children: [`${id}-${from}`] },
  };
  for (let number = from; number < to; number++) {
    const node = `${id}-${number}`;
    const isQuestion = (number - from) % 2 === 0;
    mapping[node] = {
      id: node,
      parent: number === from ? "root" : `${id}-${number - 1}`,
      children: number === to - 1 ? [] : [`${id}-${number + 1}`],
      message: messageNode(number, isQuestion),
    };
  }
  const { createdAt, words } = messageOf("title", index);
  return {
    title: words.slice(0, 4).join(" "),
    create_time: createdAt / 1000,
    update_time: createdAt / 1000 + 600,
    mapping,
    moderation_results: [],
    current_node: `${id}-${to - 1}`,
    conversation_id: id,
    id,
    default_model_slug: "gpt-5",
    is_archived: false,
  };
}

/** As much beside the text as exports of 2026 have. */
const COMMON_METADATA = {
  selected_github_repos: [],
  selected_all_github_repos: false,
  serialization_metadata: { custom_symbol_offsets: [] },
  timestamp_: "absolute",
  message_source: null,
  is_visually_hidden_from_conversation: false,
  turn_exchange_id: "00000000-0000-4000-8000-000000000000",
  developer_mode_connector_ids: [],
  system_hints: [],
};
const STOP_WORDS = ["the", "of", "and", "to", "in", "is", "that", "for", "with", "on"];
const ANSWER_METADATA = {
  model_slug: "gpt-5",
  default_model_slug: "gpt-5",
  resolved_model_slug: "gpt-5",
  finish_details: { type: "stop", stop_tokens: [200002] },
  is_complete: true,
  citations: [],
  content_references: [],
  message_type: "next",
};

/** Every second word or so of a language says nothing by itself: some 650 characters, of which 63 words are looked for. */
function messageNode(number: number, isQuestion: boolean) {
  const { id, words, createdAt } = messageOf("said", number);
  const text = words
    .map((word, at) => `${word} ${STOP_WORDS[(number + at) % STOP_WORDS.length] ?? ""}`)
    .join(" ");
  return {
    id,
    author: { role: isQuestion ? "user" : "assistant", name: null, metadata: {} },
    create_time: createdAt / 1000,
    update_time: null,
    content: { content_type: "text", parts: [text] },
    status: "finished_successfully",
    end_turn: isQuestion ? null : true,
    weight: 1.0,
    metadata: {
      ...COMMON_METADATA,
      request_id: `${id}-${id}`,
      parent_id: `${id}-${number}`,
      ...(isQuestion ? {} : ANSWER_METADATA),
    },
    recipient: "all",
    channel: null,
  };
}
