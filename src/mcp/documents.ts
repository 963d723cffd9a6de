/** Memories and conversations under one kind of id: what ChatGPT's two tools exchange. */

/** `message`: the reading begins a little before it. `cursor`: it goes on where an earlier one stopped. */
export type DocumentName =
  | { readonly kind: "memory"; readonly id: string }
  | {
      readonly kind: "conversation";
      readonly id: string;
      readonly message?: string;
      readonly cursor?: string;
    };

export function documentId(name: DocumentName): string {
  if (name.kind === "memory") return `memory:${name.id}`;
  const { id, message = "", cursor = "" } = name;
  return ["conversation", id, message, cursor].join(":").replace(/:+$/, "");
}

/** Null: no such id was ever given out. */
export function readDocumentId(text: string): DocumentName | null {
  const [kind, id, message = "", cursor = "", ...rest] = text.split(":");
  if (id === undefined || id === "" || rest.length > 0) return null;
  if (kind === "memory" && message === "" && cursor === "") return { kind, id };
  if (kind !== "conversation") return null;
  return {
    kind,
    id,
    ...(message === "" ? {} : { message }),
    ...(cursor === "" ? {} : { cursor }),
  };
}

/** Opens for the signed-in person. */
export function documentUrl(publicOrigin: string, { kind, id }: DocumentName): string {
  const folder = kind === "memory" ? "memories" : "conversations";
  return `${publicOrigin}/api/${folder}/${id}`;
}
