import { shownPath } from "../memory/file-path.ts";
import { iso, type Writer } from "./writer.ts";

export const markdownWriter: Writer = {
  start: ({ title, startedAt }) => `# ${title ?? `Cofio export, ${iso(startedAt)}`}\n`,
  memory: (memory, index) => {
    const about = [
      memory.category,
      memory.project === undefined ? null : `project ${memory.project}`,
      memory.path === undefined ? null : `file ${shownPath(memory)}`,
      ...memory.tags.map((tag) => `#${tag}`),
      `saved ${iso(memory.createdAt)}`,
      `by ${memory.client}`,
      memory.status === "active" ? null : memory.status,
      memory.supersededBy === null ? null : `superseded by ${memory.supersededBy}`,
      `id ${memory.id}`,
    ].filter((part) => part !== null);
    return `${index === 0 ? "\n## Memories\n" : ""}\n- ${memory.content.replaceAll("\n", "\n  ")}  \n  _${about.join(", ")}_\n`;
  },
  memoriesEnd: (count) => (count === 0 ? "\nNo memories.\n" : ""),
  conversation: ({ title, source, createdAt, id }, index) =>
    `${index === 0 ? "\n## Conversations\n" : ""}\n### ${title === "" ? "(untitled)" : title.replaceAll("\n", " ")}\n\n_${source}, ${iso(createdAt)}, id ${id}_\n`,
  message: ({ role, text, createdAt, attachments = [] }) => {
    const attached = attachments
      .map(({ name, text: inside = "" }) => `\n[${name}]\n${inside}`)
      .join("");
    return `\n**${role}**${createdAt === null ? "" : ` (${iso(createdAt)})`}\n\n${text}${attached}\n`;
  },
  conversationEnd: () => "",
  conversationsEnd: (count) => (count === 0 ? "\nNo conversations.\n" : ""),
  end: () => "",
};
