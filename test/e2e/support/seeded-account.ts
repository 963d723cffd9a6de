/** An account as somebody has it after a year: memories of several clients in several languages, and their history with two assistants. */
import type { BrowserContext } from "playwright-core";
import type { Server } from "./server.ts";

const CLIENTS = ["Claude", "ChatGPT", "Cursor", "Claude Code", "Gemini CLI"] as const;
type Client = (typeof CLIENTS)[number];

interface Seed {
  readonly client: Client;
  readonly content: string;
  readonly category?: string;
  readonly tags?: readonly string[];
  readonly project?: string;
  readonly importance?: number;
}

/** Of the memories, one by one, so that the newest changes are what assistants do every day. */
const SAVED_LAST = 12;
const DAY_MS = 86_400_000;

/** The browser has to be signed in. Takes some seconds. */
export async function seedAccount(server: Server, context: BrowserContext): Promise<void> {
  const tokens = new Map<Client, string>();
  for (const client of CLIENTS) tokens.set(client, await makeToken(server, context, client));
  await importFile(server, tokens.get("ChatGPT") ?? "", "conversations.json", chats());
  await importFile(server, tokens.get("Claude") ?? "", "claude.json", earlier());
  const seeds = memories();
  for (const [client, token] of tokens) {
    const own = seeds.slice(0, -SAVED_LAST).filter((seed) => seed.client === client);
    await importFile(server, token, `${client}.json`, ofTheYear(client, own));
  }
  for (const { client, ...memory } of seeds.slice(-SAVED_LAST)) {
    await send(server, tokens.get(client) ?? "", "/api/memories", memory);
  }
  // What the newest operations are: of several kinds.
  const claude = tokens.get("Claude") ?? "";
  const { memories: newest } = await get(server, claude, "/api/memories?limit=6");
  const [first, second, third] = newest;
  await send(server, claude, `/api/memories/${first.id}`, { add_tags: ["checked"] }, "PATCH");
  await send(server, claude, `/api/memories/${second.id}`, undefined, "DELETE");
  await send(server, claude, `/api/memories/${third.id}`, { importance: 5 }, "PATCH");
  await importForReview(server, context);
  const { conversations } = await get(server, claude, "/api/conversations?limit=3&order=oldest");
  const ids = conversations.map(({ id }: { id: string }) => id);
  await send(server, claude, "/api/conversations/delete", { ids });
}

/** What other assistants remembered and said before, as another Cofio exports it. */
function earlier(): unknown {
  const sources = ["chatgpt", "claude", "chatgpt", "gemini", "chatgpt", "grok", "kimi"];
  const memories = Array.from({ length: 90 }, (_, index) => ({
    id: `earlier-${index}`,
    content: `${SUBJECTS[index % SUBJECTS.length]}: note ${index + 1}.`,
    category: "knowledge",
    status: "active",
    source: sources[index % sources.length],
    created_at: daysAgo(2 + ((index * 37) % 350)),
  }));
  const conversations = TALKS.map(([source, title, ...texts], index) => ({
    id: `talk-${index}`,
    title,
    source,
    messages: texts.map((text, turn) => ({
      role: turn % 2 === 0 ? "user" : "assistant",
      text,
      created_at: new Date(Date.parse(daysAgo(3 + index * 9)) + turn * 60_000).toISOString(),
    })),
  }));
  return exported(memories, conversations);
}

/** Saved by one client over the last year, more of them lately. */
function ofTheYear(client: Client, seeds: readonly Seed[]): unknown {
  const memories = seeds.map(({ client: _by, ...memory }, index) => ({
    ...memory,
    id: `${client}-${index}`,
    status: "active",
    source: "mcp",
    created_at: daysAgo(1 + 340 * (((index * 61) % seeds.length) / seeds.length) ** 2),
  }));
  return exported(memories, []);
}

function exported(memories: readonly unknown[], conversations: readonly unknown[]): unknown {
  return {
    format: "cofio",
    version: 1,
    exported_at: new Date().toISOString(),
    memories,
    conversations,
  };
}

function daysAgo(days: number): string {
  return new Date(Date.now() - Math.round(days * DAY_MS)).toISOString();
}

/** By the person: memories of an import that wait, as one of the rules has it. */
async function importForReview(server: Server, context: BrowserContext): Promise<void> {
  const headers = { origin: server.origin };
  const setRule = (imports: "pending" | null) =>
    context.request.patch(`${server.origin}/api/rules`, { headers, data: { imports } });
  await setRule("pending");
  await context.request.post(`${server.origin}/api/imports?as=list`, {
    headers: { ...headers, "content-type": "text/plain" },
    data: PENDING.map((content) => `- ${content}`).join("\n"),
  });
  await setRule(null);
}

/** A person with a token of this name, and every right but to decide in the person's place. */
async function makeToken(server: Server, context: BrowserContext, name: string): Promise<string> {
  const form = new FormData();
  form.set("name", name);
  for (const scope of SCOPES) form.append("scope", scope);
  const answer = await context.request.post(`${server.origin}/tokens`, {
    headers: { origin: server.origin },
    form,
  });
  const token = /cofio_[a-z2-7]{16}_[a-z2-7]{42}/.exec(await answer.text())?.[0];
  if (token === undefined) throw new Error(`No token was made: ${answer.status()}`);
  return token;
}

const SCOPES = [
  "memories:read",
  "memories:write",
  "memories:delete",
  "conversations:read",
  "data:export",
  "data:import",
];

async function send(
  server: Server,
  token: string,
  path: string,
  body: unknown,
  method = "POST",
): Promise<void> {
  const response = await fetch(server.origin + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

async function get(server: Server, token: string, path: string): Promise<any> {
  const response = await fetch(server.origin + path, {
    headers: { authorization: `Bearer ${token}` },
  });
  return response.json();
}

async function importFile(
  server: Server,
  token: string,
  name: string,
  content: unknown,
): Promise<void> {
  const form = new FormData();
  form.append("files", new File([JSON.stringify(content)], name));
  const response = await fetch(`${server.origin}/api/imports`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: form,
  });
  if (!response.ok) throw new Error(`Import: ${response.status} ${await response.text()}`);
}

function memories(): Seed[] {
  return [
    ...PROJECTS.flatMap(({ project, areas, client }) =>
      areas.flatMap((area) =>
        DECISIONS.map(([category, decide, tag]): Seed => ({
          client,
          project,
          category,
          content: decide(area),
          tags: [tag],
        })),
      ),
    ),
    ...PEOPLE.flatMap(([name, who]) =>
      PERSONAL.map((tell, index): Seed => ({
        client: index % 2 === 0 ? "Claude" : "ChatGPT",
        content: tell(name, who),
        category: "people",
        tags: [name.toLowerCase()],
      })),
    ),
    ...FACTS.map(([category, content, ...tags], index): Seed => ({
      client: CLIENTS[index % CLIENTS.length] ?? "Claude",
      content,
      category,
      tags,
      importance: 1 + (index % 5),
    })),
  ];
}

const FACTS: readonly (readonly [category: string, content: string, ...tags: string[]])[] = [
  ["personal_facts", "Lives in Bangor, Wales, and works from home except on Tuesdays.", "home"],
  ["user_preferences", "Prefers answers that begin with the result, and metric units.", "style"],
  ["user_preferences", "Writes commit messages in the imperative, at most 72 characters.", "work"],
  ["personal_facts", "Siarad Cymraeg gyda'r plant gartref, a Saesneg yn y gwaith.", "family"],
  ["personal_facts", "Allergic to hazelnuts; carries an adrenaline pen.", "health"],
  [
    "user_preferences",
    "Mag kurze Antworten auf Deutsch, wenn die Frage auf Deutsch gestellt ist.",
    "style",
  ],
  ["personal_facts", "La réunion d'équipe a lieu chaque lundi à 9 h 30, sur Meet.", "work"],
  [
    "user_preferences",
    "Préfère le train à l'avion pour les trajets de moins de huit heures.",
    "travel",
  ],
  ["personal_facts", "Su hermana vive en Valencia y cumple años el 14 de marzo.", "family"],
  ["personal_facts", "日本語を勉強中。JLPT N3 を 12 月に受ける予定。", "learning"],
  ["user_preferences", "推荐餐厅时优先考虑素食，并注明是否需要预订。", "food"],
  ["instructions", "Ask before running a migration against the production database.", "work"],
  ["instructions", "Never suggest force-pushing to a shared branch.", "work", "git"],
  ["goals", "Run the Snowdonia half marathon in under two hours next October.", "running"],
  ["goals", "Finish the Welsh translation of the parish archive by spring.", "archive"],
  ["personal_facts", "Has two cats, Pwdin and Mot; Mot is on a kidney diet.", "home"],
  ["user_preferences", "Uses Neovim with a light theme by day and a dark one after six.", "tools"],
  ["personal_facts", "Konto bei der GLS Bank; Steuererklärung macht das Büro Hartmann.", "money"],
  ["user_preferences", "Vegetarian since 2015; cooks with little salt.", "food"],
  [
    "personal_facts",
    "The boiler was serviced on 3 October 2026 by Gwyn from Menai Heating.",
    "home",
  ],
  ["personal_facts", "Пишет диссертацию о приливных мельницах Северного Уэльса.", "research"],
  ["personal_facts", "يتعلم العزف على العود منذ عامين، ويتدرب مساء كل خميس.", "music"],
];

const PROJECTS: readonly {
  readonly project: string;
  readonly client: Client;
  readonly areas: readonly string[];
}[] = [
  {
    project: "harbour-api",
    client: "Claude Code",
    areas: ["the booking endpoint", "tide tables", "the invoice job", "rate limiting", "webhooks"],
  },
  {
    project: "parish-archive",
    client: "Cursor",
    areas: ["scanned registers", "the place-name index", "search", "the map view"],
  },
  {
    project: "kitchen-garden",
    client: "Gemini CLI",
    areas: ["the watering schedule", "the seed inventory", "frost alerts", "the sensor firmware"],
  },
];

const DECISIONS: readonly (readonly [string, (area: string) => string, string])[] = [
  [
    "decisions",
    (area) => `Decided to keep ${area} on SQLite until there are two writers.`,
    "storage",
  ],
  [
    "project_context",
    (area) => `Tests of ${area} run against a recorded day in March 2026.`,
    "tests",
  ],
  ["instructions", (area) => `Changes to ${area} need a note in the changelog.`, "process"],
  ["project_context", (area) => `Nia reviews everything that touches ${area}.`, "people"],
  [
    "decisions",
    (area) => `Errors in ${area} answer with a hint, never with a stack trace.`,
    "errors",
  ],
  [
    "goals",
    (area) => `Halve the response time of ${area} before the summer season.`,
    "performance",
  ],
  [
    "project_context",
    (area) => `The old implementation of ${area} is behind the flag "legacy".`,
    "flags",
  ],
  [
    "user_preferences",
    (area) => `Names in ${area} are in English, comments may be in Welsh.`,
    "style",
  ],
  [
    "project_context",
    (area) => `Monitoring for ${area}: alert after three failures in ten minutes.`,
    "ops",
  ],
  ["decisions", (area) => `Times in ${area} are stored in UTC and shown in Europe/London.`, "time"],
  [
    "project_context",
    (area) => `Backfill of ${area} took 40 minutes for 1.2 million rows.`,
    "performance",
  ],
  ["instructions", (area) => `Do not log the payload of ${area}: it holds names.`, "privacy"],
  [
    "project_context",
    (area) => `Documentation of ${area} lives beside the code, in docs/.`,
    "docs",
  ],
  ["decisions", (area) => `Version 2 of ${area} drops XML; two customers were told.`, "api"],
  ["goals", (area) => `Cover ${area} with property tests for dates and amounts.`, "tests"],
];

const PEOPLE: readonly (readonly [name: string, who: string])[] = [
  ["Elin", "daughter"],
  ["Carys", "sister"],
  ["Gwyn", "neighbour"],
  ["Tomos", "colleague"],
  ["Marta", "running partner"],
  ["Yuki", "Japanese teacher"],
  ["Père Lucien", "archivist in Quimper"],
  ["Nia", "team lead"],
];

const PERSONAL: readonly ((name: string, who: string) => string)[] = [
  (name, who) => `${name} is her ${who}.`,
  (name) => `${name} prefers messages on Signal to e-mail.`,
  (name) => `Owes ${name} a book: "The Old Ways" by Robert Macfarlane.`,
  (name) => `${name} does not eat fish.`,
  (name) => `${name}'s birthday is in June; a card is enough.`,
  (name) => `Met ${name} for lunch at Blue Sky Café and talked about the harbour.`,
  (name) => `${name} recommended the coast path from Aberdaron to Whistling Sands.`,
  (name) => `Promised ${name} photographs of the old slate quay.`,
  (name) => `${name} can be reached on weekdays after four.`,
  (name) => `${name} has a key to the house.`,
  (name) => `${name} lent her the large rucksack for the Llŷn walk.`,
  (name) => `${name} and she speak Welsh with each other.`,
];

/** What another assistant thinks it knows. */
const PENDING = [
  "Thinks about moving the harbour API to another host.",
  "Might take the train to Quimper in May.",
] as const;

const SUBJECTS = [
  "Tide table parser off by one hour in summer",
  "Ideas for a vegetarian Christmas dinner",
  "Übersetzung der Pachtverträge von 1843",
  "Marathon training plan for twelve weeks",
  "Postgres or SQLite for a small booking system",
  "Explain the oud's maqam Bayati",
  "日本語の助詞「は」と「が」の違い",
  "Lettre à la mairie de Quimper",
  "Cat with kidney disease: what to feed",
  "Rate limiting without a shared store",
  "Reading old Welsh handwriting",
  "Planning a week on the Llŷn peninsula",
  "Why does my sourdough collapse?",
  "Rewriting the invoice job",
] as const;

/** Of other assistants: where from, what about, and who said what in turn. */
const TALKS: readonly (readonly [source: string, title: string, ...texts: string[]])[] = [
  [
    "claude",
    "A plan for the place-name index",
    "I have 4,000 scanned register pages and want an index of place names. Where do I begin?",
    "With one parish. Transcribe ten pages by hand first: they become the test for everything that follows.",
    "Llanddona, then. Some names have three spellings.",
    "Keep every spelling as it stands, and give each place one id. The index then finds all three, and nobody has to decide today which is right.",
  ],
  [
    "claude",
    "Reviewing the tide table parser",
    "The parser is one hour off from late March to October. What am I overlooking?",
    "The tables are in UTC, and the code reads them as local time. It is right in winter by chance.",
    "That is it. A test for 1 July would have caught it.",
  ],
  [
    "gemini",
    "Three days in Quimper in May",
    "Plan three days in Quimper for two, by train, vegetarian, with a morning in the archive.",
    "Day one: arrive by noon, the cathedral and the old town. Day two: the departmental archive opens at nine, book a reader's ticket a week before. Day three: Locronan by bus.",
  ],
  [
    "deepseek",
    "Index or full scan for a small table?",
    "SQLite has 900 rows here. Is an index on the date worth it?",
    "Measure it, but hardly: the whole table is a few pages. Add it when the table grows beyond what one read brings.",
  ],
];

/** In the form of ChatGPT's export. */
function chats(): unknown[] {
  const start = Date.UTC(2026, 0, 12, 9) / 1_000;
  return Array.from({ length: 42 }, (_, index) => {
    const subject = SUBJECTS[index % SUBJECTS.length] ?? "";
    const part = Math.floor(index / SUBJECTS.length);
    const title = part === 0 ? subject : `${subject} (${part + 1})`;
    const time = start + index * 7 * 86_400 + index * 733;
    const texts = [
      `${subject}: where would you begin?`,
      "Begin with what you know for certain, write down the three open questions, and settle the cheapest of them first. Which one would change the plan?",
      "The second one. I have a day for it, and the notes from last week.",
      "Then compare two small examples by hand before you touch the rest. If they agree, go on; if they do not, you have found the place.",
      ...(index % 3 === 0
        ? ["Thank you, that helps.", "Good luck, and write down what you find."]
        : []),
    ];
    return chat({ id: `chat-${index}`, title, time, texts });
  });
}

function chat({
  id,
  title,
  time,
  texts,
}: {
  readonly id: string;
  readonly title: string;
  /** In seconds, as all times of this format. */
  readonly time: number;
  readonly texts: readonly string[];
}): unknown {
  const nodes = texts.map((text, index) => ({
    id: `${id}-${index}`,
    parent: index === 0 ? `${id}-root` : `${id}-${index - 1}`,
    children: index === texts.length - 1 ? [] : [`${id}-${index + 1}`],
    message: {
      id: `${id}-${index}`,
      author: { role: index % 2 === 0 ? "user" : "assistant" },
      create_time: time + index * 45,
      content: { content_type: "text", parts: [text] },
    },
  }));
  const root = { id: `${id}-root`, parent: null, children: [`${id}-0`], message: null };
  return {
    id,
    conversation_id: id,
    title,
    create_time: time,
    update_time: time + texts.length * 45,
    current_node: nodes.at(-1)?.id,
    mapping: Object.fromEntries([root, ...nodes].map((node) => [node.id, node])),
  };
}
