/** Cofio itself: one user per sample on a real local server, sessions imported over HTTP, questions asked over MCP. */
import { createHash } from "node:crypto";
import * as z from "zod";
import { startServer, type Server } from "../../test/e2e/support/server.ts";
import { callTool, type Access } from "../support/call-tool.ts";
import { importExport } from "../support/import-export.ts";
import { progress } from "../support/report.ts";
import { withTemporaryFolder } from "../support/temporary-folder.ts";
import type { Sample, Session, Turn } from "./dialogues.ts";

/** What the product found for one question. */
export interface Answer {
  /** Ids of turns, best first. */
  readonly turns: readonly string[];
  /** Ids of sessions, best first. */
  readonly sessions: readonly string[];
  /** Of the best turn; 0 if there is none. */
  readonly relevance: number;
  /** Of the call that found the turns. */
  readonly ms: number;
}

/** The most that the tool allows: the limit on results is to cut the answer, not the budget. */
const MAX_TOKENS = 50_000;

/** The answers to each sample's questions, in their order. */
export function askProduct(
  samples: readonly Sample[],
): Promise<ReadonlyMap<Sample, readonly Answer[]>> {
  return withTemporaryFolder(async (state) => {
    progress("starting the local server");
    const server = await startServer({ state, env: { COFIO_VERBOSE: "" } });
    try {
      const answers = new Map<Sample, Answer[]>();
      for (const [at, sample] of samples.entries()) {
        progress(`sample ${at + 1} of ${samples.length}: ${sample.id}`);
        answers.set(sample, await askAbout(sample, server));
      }
      return answers;
    } finally {
      await server.stop();
    }
  });
}

async function askAbout(sample: Sample, server: Server): Promise<Answer[]> {
  const token = await server.token(sample.id);
  await importExport({ server, token }, exportOf(sample));
  const turnIds = new Map(
    sample.sessions.flatMap(({ turns }) => turns.map(({ id }) => [cofioId(sample, id), id])),
  );
  const sessionIds = new Map(sample.sessions.map(({ id }) => [cofioId(sample, id), id]));

  const answers: Answer[] = [];
  for (const { text } of sample.questions) {
    const started = performance.now();
    const best = await search({ query: text, limit: 10 }, { server, token });
    const ms = performance.now() - started;
    const chats = await search({ query: text, limit: 10, by: "conversation" }, { server, token });
    answers.push({
      turns: namesOf(
        best.map(({ message }) => message.id),
        turnIds,
      ),
      sessions: namesOf(
        chats.map(({ conversation }) => conversation.id),
        sessionIds,
      ),
      relevance: best[0]?.relevance ?? 0,
      ms,
    });
  }
  return answers;
}

function exportOf(sample: Sample): string {
  return JSON.stringify({
    format: "cofio",
    version: 1,
    exported_at: new Date().toISOString(),
    memories: [],
    conversations: sample.sessions.map((session) => conversationOf(sample, session)),
  });
}

function conversationOf(sample: Sample, { id, time, turns }: Session) {
  return {
    id: cofioId(sample, id),
    title: "",
    source: "other",
    created_at: new Date(time).toISOString(),
    messages: turns.map((turn) => ({
      id: cofioId(sample, turn.id),
      role: turn.speaker === userOf(sample) ? "user" : "assistant",
      ...(turn.speaker === ASSISTANT ? {} : { name: turn.speaker }),
      text: turn.text,
      created_at: new Date(time).toISOString(),
      attachments: attachmentsOf(turn),
    })),
  };
}

/** The name of a speaker who is no person. */
const ASSISTANT = "Assistant";

function userOf({ speakers: [a, b] }: Sample): string {
  return a === ASSISTANT ? b : a;
}

function attachmentsOf({ caption }: Turn) {
  return caption === null ? [] : [{ name: "photo", text: caption }];
}

/** In the form of Cofio's own ids, which an import keeps. */
function cofioId(sample: Sample, id: string): string {
  const digest = createHash("sha256").update(`${sample.id}\0${id}`).digest();
  return [...digest.subarray(0, 12)]
    .map((byte) => "abcdefghijklmnopqrstuvwxyz234567".charAt(byte % 32))
    .join("");
}

const answerSchema = z.object({
  results: z.array(
    z.object({
      conversation: z.object({ id: z.string() }),
      message: z.object({ id: z.string() }),
      relevance: z.number(),
    }),
  ),
});

async function search(
  args: { readonly query: string; readonly limit: number; readonly by?: "conversation" },
  access: Access,
): Promise<z.infer<typeof answerSchema>["results"]> {
  const call = { name: "search_conversations", arguments: { ...args, max_tokens: MAX_TOKENS } };
  return (await callTool(access, call, answerSchema)).results;
}

/** What the sample calls these. A ranking that repeats itself would count a hit twice. */
function namesOf(ids: readonly string[], names: ReadonlyMap<string, string>): string[] {
  if (new Set(ids).size < ids.length) throw new Error(`Listed twice: ${ids.join(", ")}`);
  return ids.map((id) => {
    const name = names.get(id);
    if (name === undefined) throw new Error(`The product returned ${id}, which was not imported`);
    return name;
  });
}
