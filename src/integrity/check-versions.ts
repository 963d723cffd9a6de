/** Earlier states, and operations: nothing else tells what they hold, so what is wrong is named and left. */
import { openConversationText, openMessageText } from "../conversations/conversation.ts";
import { openText } from "../memory/memory.ts";
import type { PageOf } from "../storage/integrity-pages.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { pageOf, type CheckedPage, type Damage, type Left } from "./damage.ts";
import { opened } from "./opens.ts";

export async function checkMemoryVersions(at: OpenAccount, page: PageOf): Promise<CheckedPage> {
  const rows = await at.integrity.memoryVersions(page);
  const left: Damage<Left>[] = [];
  for (const row of rows) {
    const { id, version } = row;
    const isOpen = (await opened(() => openText(at.keys, row))) !== null;
    left.push(
      ...faultsOf(row, isOpen).map(
        (what) => ({ what, kind: "memory_version", id, version }) as const,
      ),
    );
  }
  return pageOf(rows, page.limit, { keyOf: ({ id, version }) => [id, version], left });
}

export async function checkConversationVersions(
  at: OpenAccount,
  page: PageOf,
): Promise<CheckedPage> {
  const rows = await at.integrity.conversationVersions(page);
  const left: Damage<Left>[] = [];
  for (const row of rows) {
    const { id, version } = row;
    const isOpen = (await opened(() => openConversationText(at.keys, row))) !== null;
    left.push(
      ...faultsOf(row, isOpen).map(
        (what) => ({ what, kind: "conversation_version", id, version }) as const,
      ),
    );
  }
  return pageOf(rows, page.limit, { keyOf: ({ id, version }) => [id, version], left });
}

function faultsOf(
  row: {
    readonly version: number;
    readonly rowVersion: number | null;
    readonly hasOperations: number;
  },
  isOpen: boolean,
): Left[] {
  return [
    ...(isOpen ? [] : (["unreadable"] as const)),
    ...(row.hasOperations === 1 ? [] : (["operation_missing"] as const)),
    ...(row.rowVersion === null ? (["belongs_to_nothing"] as const) : []),
    ...(row.rowVersion !== null && row.rowVersion <= row.version ? (["not_earlier"] as const) : []),
  ];
}

export async function checkMessageVersions(at: OpenAccount, page: PageOf): Promise<CheckedPage> {
  const rows = await at.integrity.messageVersions(page);
  const left: Damage<Left>[] = [];
  for (const row of rows) {
    const { conversation, version } = row;
    const told = (what: Left) =>
      left.push({ what, kind: "message_version", id: `${conversation}/${row.id}`, version });
    if ((await opened(() => openMessageText(at.keys, row))) === null) told("unreadable");
    if (row.hasOperations !== 1) told("operation_missing");
    if (row.isHeld !== 1) told("belongs_to_nothing");
  }
  return pageOf(rows, page.limit, {
    keyOf: ({ conversation, id, version }) => [conversation, id, version],
    left,
  });
}

export async function checkOperations(at: OpenAccount, page: PageOf): Promise<CheckedPage> {
  const rows = await at.integrity.operations(page);
  const left = rows.flatMap(({ id, hasCounts, hasUndone }): Damage<Left>[] => [
    ...(hasCounts === 1 ? [] : [{ what: "counts_unreadable", kind: "operation", id } as const]),
    ...(hasUndone === 1 ? [] : [{ what: "operation_missing", kind: "operation", id } as const]),
  ]);
  return pageOf(rows, page.limit, { keyOf: ({ id }) => [id], left });
}
