/**
 * Conversations from an activity log, which holds one event per prompt, newest first, and no conversations.
 *
 * Some events link to the conversation they belong to: these are put together by its id. The others are put together by time, and
 * such a conversation's id begins with "reconstructed": the platform knows no such conversation.
 */
import type { ImportedAttachment, ImportRecord } from "../records.ts";
import { counter, groupsByGap, oldestFirst } from "./activity-groups.ts";
import { conversationRecords, skipped, type MessageReading } from "./conversation.ts";
import { excerptOf } from "./text.ts";

export interface GeminiEvent {
  /** Milliseconds; null where the log does not say or says nonsense. */
  readonly time: number | null;
  /** Of the conversation; null where the event links to none. */
  readonly conversationId: string | null;
  /** One, but for a variant that puts several into an event. */
  readonly exchanges: readonly Exchange[];
}

export interface Exchange {
  readonly prompt: string;
  readonly attachments: readonly ImportedAttachment[];
  /** Null where the log holds none; "" where nothing of it is text. */
  readonly answer: string | null;
}

/** True for an activity of Gemini, or of Bard, as it was called before: products' names are translated, these two words are not. */
export function isGemini(products: readonly string[]): boolean {
  return products.some((product) => /gemini|\bbard\b/i.test(product));
}

/** `url`: an address, or a text with one in it. */
export function conversationIdIn(url: string): string | null {
  return (
    /\bgemini\.google\.com\/(?:u\/\d{1,3}\/)?(?:app|gem\/[^/\s]{1,100})\/(?:c\/)?([\w-]{4,100})/.exec(
      url,
    )?.[1] ?? null
  );
}

/** Activities that are no prompt, also where something like an answer hangs on them: a canvas, what was rated or shared. */
const NO_PROMPT =
  /^(?:Gave feedback|Feedback|Cleared previous feedback|Used|Created|Canvas|Selected|Shared|Deleted)(?![\p{L}\p{N}])/u;

/** What stands before the prompt, in the languages that real files were seen in. */
const PROMPT_LABEL =
  /^(?:Prompted(?: with:)?|Asked(?: Gemini:| Bard:)?|Said|Eingegebener Prompt:?|Angefordert:?|Poslali ste poziv:?|送信したメッセージ:?)(?:\s+|$)/;
/** In any language a label with a colon and a no-break space behind it announces a prompt; of others only the space is seen. */
const LABEL_WITH_COLON = /^[^:\u00a0\u202f\n]{1,60}[\u00a0\u202f]?:\u00a0/;

/** The prompt in an event's title; null for an event that is none. In a language that is not known it is kept whole. */
export function promptIn(title: string, { hasAnswer }: { hasAnswer: boolean }): string | null {
  if (NO_PROMPT.test(title)) return null;
  const [label] = PROMPT_LABEL.exec(title) ?? LABEL_WITH_COLON.exec(title) ?? [];
  if (label !== undefined) return title.slice(label.length).trim();
  return hasAnswer ? title.trim() : null;
}

/** An event whose exchanges hold nothing to keep, as skipped; null for any other. */
export function emptyEvent({ exchanges }: GeminiEvent): ImportRecord | null {
  if (exchanges.some(({ prompt, answer }) => prompt !== "" || (answer ?? "") !== "")) return null;
  const count = exchanges.reduce((sum, { answer }) => sum + (answer === null ? 1 : 2), 0);
  const media = exchanges.flatMap(({ attachments }) => attachments)[0];
  return media === undefined
    ? skipped("message", "empty", { count })
    : skipped("message", "media_only", { count, example: media.name });
}

/** `events`: in the order of the file, none of them empty. */
export function conversationsOf(events: readonly GeminiEvent[]): ImportRecord[] {
  const byConversation = new Map<string, GeminiEvent[]>();
  const loose: GeminiEvent[] = [];
  for (const event of oldestFirst(events)) {
    const { conversationId } = event;
    if (conversationId === null) loose.push(event);
    else {
      const known = byConversation.get(conversationId);
      if (known === undefined) byConversation.set(conversationId, [event]);
      else known.push(event);
    }
  }
  const numberOf = counter();
  return [
    ...[...byConversation].flatMap(([id, group]) => recordsOf(id, group)),
    ...groupsByGap(loose).flatMap((group) => {
      const first = eventKey(group[0]?.time ?? null, group[0]?.exchanges[0]?.prompt ?? "");
      return recordsOf(`reconstructed ${numberOf(first)} ${first}`, group);
    }),
  ];
}

function recordsOf(originId: string, group: readonly GeminiEvent[]): ImportRecord[] {
  const times = group.flatMap(({ time }) => (time === null ? [] : [time]));
  const prompts = group.flatMap(({ exchanges }) => exchanges.map(({ prompt }) => prompt));
  return conversationRecords(
    {
      source: "gemini",
      originId,
      // The log knows no titles.
      title: excerptOf(prompts.find((prompt) => prompt !== "") ?? ""),
      createdAt: times[0] ?? null,
      updatedAt: times.at(-1) ?? null,
    },
    readings(group),
  );
}

function* readings(group: readonly GeminiEvent[]): Generator<MessageReading> {
  const numberOf = counter();
  for (const { time, exchanges } of group) {
    for (const { prompt, attachments, answer } of exchanges) {
      const key = eventKey(time, prompt);
      const id = `${numberOf(key)} ${key}`;
      yield prompt === ""
        ? { outcome: "skipped", reason: attachments.length > 0 ? "media_only" : "empty" }
        : {
            outcome: "message",
            message: {
              originId: `prompt ${id}`,
              role: "user",
              text: prompt,
              createdAt: time,
              attachments,
            },
          };
      if (answer === null) continue;
      yield answer === ""
        ? { outcome: "skipped", reason: "empty" }
        : {
            outcome: "message",
            message: {
              originId: `answer ${id}`,
              role: "assistant",
              text: answer,
              createdAt: time,
              attachments: [],
            },
          };
    }
  }
}

/**
 * Time and prompt, all that an event has for an id. To the second, and white space made one, so that an event has the same key in the
 * JSON and the HTML of the log.
 */
function eventKey(time: number | null, prompt: string): string {
  const second = time === null ? "untimed" : `${new Date(time).toISOString().slice(0, 19)}Z`;
  return `${second} ${excerptOf(prompt)}`;
}
