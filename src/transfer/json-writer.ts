import { messageProvenanceLine, provenanceLine, type Provenance } from "../vault/provenance.ts";
import { COFIO_FORMAT, COFIO_VERSION } from "./formats/cofio.ts";
import { iso, listLine, type Writer } from "./writer.ts";

/** One item a line, so that the file is readable and its parts can be cut out with line tools. */
export const jsonWriter: Writer = {
  start: ({ include, startedAt }) =>
    [
      `{"format":"${COFIO_FORMAT}","version":${COFIO_VERSION},"exported_at":"${iso(startedAt)}",`,
      include.includes("memories") ? '"memories":[' : '"conversations":[',
    ].join("\n"),
  memory: (memory, index) =>
    listLine(
      JSON.stringify({
        id: memory.id,
        version: memory.version,
        content: memory.content,
        category: memory.category,
        tags: memory.tags,
        project: memory.project,
        importance: memory.importance,
        source: memory.source,
        origin: memory.origin,
        user_asked: memory.userAsked ? true : undefined,
        client: memory.client,
        status: memory.status,
        created_at: iso(memory.createdAt),
        updated_at: iso(memory.updatedAt),
        expires_at: memory.expiresAt === null ? undefined : iso(memory.expiresAt),
        superseded_by: memory.supersededBy ?? undefined,
        supersedes: memory.status === "pending" ? memory.supersedes : undefined,
        asked_as: memory.askedAs,
        path: memory.path,
        provenance: isForeign(memory) ? provenanceLine(memory.provenance) : undefined,
      }),
      index,
    ),
  memoriesEnd: (_count, { include }) =>
    include.includes("conversations") ? '\n],\n"conversations":[' : "\n]",
  conversation: (conversation, index) => {
    const { id, title, source, project, createdAt, updatedAt } = conversation;
    const head = JSON.stringify({
      id,
      title,
      source,
      project,
      created_at: iso(createdAt),
      updated_at: iso(updatedAt),
      provenance: isForeign(conversation) ? provenanceLine(conversation.provenance) : undefined,
    });
    return `${listLine(head.slice(0, -1), index)},"messages":[`;
  },
  message: ({ id, role, name, text, model, createdAt, attachments, provenance }, index) =>
    listLine(
      JSON.stringify({
        id,
        role,
        name,
        text,
        model,
        created_at: createdAt === null ? undefined : iso(createdAt),
        attachments,
        provenance:
          provenance === undefined || provenance.id === id
            ? undefined
            : messageProvenanceLine(provenance),
      }),
      index,
    ),
  conversationEnd: () => "]}",
  conversationsEnd: () => "\n]",
  end: () => "}\n",
};

/** Whether it is known by another id than its own. */
function isForeign<Item extends { readonly id: string; readonly provenance?: Provenance }>(
  item: Item,
): item is Item & { readonly provenance: Provenance } {
  const { id, provenance } = item;
  return provenance !== undefined && !(provenance.platform === "cofio" && provenance.id === id);
}
