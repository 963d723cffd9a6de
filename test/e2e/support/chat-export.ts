/** Writes an export in ChatGPT's shape, as large as a test wants it. */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { BlobReader, BlobWriter, ZipWriter } from "@zip.js/zip.js/lib/zip-core-native.js";

export interface ChatExportOptions {
  readonly conversations: number;
  /** Makes its ids and titles its own. */
  readonly name: string;
  /** Of what a tool answered, once in a conversation: noise, which a zip cannot make smaller than three quarters. */
  readonly fillerBytes: number;
}

/** Each conversation has four messages and one answer of a tool. */
export async function writeChatExport(path: string, options: ChatExportOptions): Promise<void> {
  const zip = new ZipWriter(new BlobWriter(), { useWebWorkers: false });
  await zip.add("conversations.json", new BlobReader(jsonOf(options)), { level: 1 });
  await writeFile(path, (await zip.close()).stream());
}

function jsonOf({ conversations, name, fillerBytes }: ChatExportOptions): Blob {
  const parts = Array.from(
    { length: conversations },
    (_, number) =>
      `${number === 0 ? "[" : ","}${JSON.stringify(conversationOf(`${name}-${number}`, number, fillerBytes))}`,
  );
  return new Blob([...parts, "]"]);
}

function conversationOf(id: string, number: number, fillerBytes: number) {
  const startedAt = 1_770_000_000 + number * 3_600;
  const turns = [
    ["user", `How long shall dough number ${number} proof in a cold kitchen?`],
    ["assistant", "Until it has doubled; in the cold that may take a whole night."],
    ["tool", randomBytes(Math.ceil((fillerBytes * 3) / 4)).toString("base64")],
    ["user", "And if I use less yeast?"],
    ["assistant", `Then longer still: plan ${(number % 7) + 12} hours.`],
  ] as const;
  const nodes = turns.map(([role, text], turn) => ({
    id: `${id}-${turn}`,
    parent: turn === 0 ? `${id}-root` : `${id}-${turn - 1}`,
    children: turn === turns.length - 1 ? [] : [`${id}-${turn + 1}`],
    message: {
      id: `${id}-${turn}`,
      author: { role, name: role === "tool" ? "browser" : null, metadata: {} },
      create_time: startedAt + turn * 60,
      content:
        role === "tool"
          ? { content_type: "execution_output", text }
          : { content_type: "text", parts: [text] },
      status: "finished_successfully",
      weight: 1,
      recipient: "all",
      metadata: {},
    },
  }));
  const root = { id: `${id}-root`, parent: null, children: [`${id}-0`], message: null };
  return {
    id,
    conversation_id: id,
    title: `Bread ${number}`,
    create_time: startedAt,
    update_time: startedAt + 600,
    current_node: nodes.at(-1)?.id,
    mapping: Object.fromEntries([root, ...nodes].map((node) => [node.id, node])),
  };
}
