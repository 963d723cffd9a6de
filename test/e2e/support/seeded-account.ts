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

/** Requests at once: more only wait for each other in the account's own object. */
const AT_ONCE = 8;

/** The browser has to be signed in. Takes some 20 s. */
export async function seedAccount(server: Server, context: BrowserContext): Promise<void> {
  const tokens = new Map<string, string>();
  for (const client of CLIENTS) tokens.set(client, await makeToken(server, context, client));
  await importChats(server, tokens.get("ChatGPT") ?? "");
  const seeds = memories();
  await inParallel(seeds, async ({ client, ...memory }) => {
    await send(server, tokens.get(client) ?? "", "/api/memories", memory);
  });
  // What the newest operations are: of several kinds.
  const claude = tokens.get("Claude") ?? "";
  const { memories: newest } = await get(server, claude, "/api/memories?limit=6");
  const [first, second, third] = newest;
  await send(server, claude, `/api/memories/${first.id}`, { add_tags: ["checked"] }, "PATCH");
  await send(server, claude, `/api/memories/${second.id}`, undefined, "DELETE");
  await send(server, claude, `/api/memories/${third.id}`, { importance: 5 }, "PATCH");
  await importForReview(server, context);
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

async function importChats(server: Server, token: string): Promise<void> {
  const form = new FormData();
  form.append("files", new File([JSON.stringify(chats())], "conversations.json"));
  const response = await fetch(`${server.origin}/api/imports`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: form,
  });
  if (!response.ok) throw new Error(`Import: ${response.status} ${await response.text()}`);
}

async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function memories(): Seed[] {
  return [
    ...FACTS.map(([category, content, ...tags], index): Seed => ({
      client: CLIENTS[index % CLIENTS.length] ?? "Claude",
      content,
      category,
      tags,
      importance: 1 + (index % 5),
    })),
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
        category: "fact",
        tags: ["people"],
      })),
    ),
  ];
}

const FACTS: readonly (readonly [category: string, content: string, ...tags: string[]])[] = [
  ["fact", "Lives in Bangor, Wales, and works from home except on Tuesdays.", "home"],
  ["preference", "Prefers answers that begin with the result, and metric units.", "style"],
  ["preference", "Writes commit messages in the imperative, at most 72 characters.", "work"],
  ["fact", "Siarad Cymraeg gyda'r plant gartref, a Saesneg yn y gwaith.", "family"],
  ["fact", "Allergic to hazelnuts; carries an adrenaline pen.", "health"],
  [
    "preference",
    "Mag kurze Antworten auf Deutsch, wenn die Frage auf Deutsch gestellt ist.",
    "style",
  ],
  ["fact", "La réunion d'équipe a lieu chaque lundi à 9 h 30, sur Meet.", "work"],
  ["preference", "Préfère le train à l'avion pour les trajets de moins de huit heures.", "travel"],
  ["fact", "Su hermana vive en Valencia y cumple años el 14 de marzo.", "family"],
  ["fact", "日本語を勉強中。JLPT N3 を 12 月に受ける予定。", "learning"],
  ["preference", "推荐餐厅时优先考虑素食，并注明是否需要预订。", "food"],
  ["instruction", "Ask before running a migration against the production database.", "work"],
  ["instruction", "Never suggest force-pushing to a shared branch.", "work", "git"],
  ["goal", "Run the Snowdonia half marathon in under two hours next October.", "running"],
  ["goal", "Finish the Welsh translation of the parish archive by spring.", "archive"],
  ["fact", "Has two cats, Pwdin and Mot; Mot is on a kidney diet.", "home"],
  ["preference", "Uses Neovim with a light theme by day and a dark one after six.", "tools"],
  ["fact", "Konto bei der GLS Bank; Steuererklärung macht das Büro Hartmann.", "money"],
  ["preference", "Vegetarian since 2015; cooks with little salt.", "food"],
  ["fact", "The boiler was serviced on 3 October 2026 by Gwyn from Menai Heating.", "home"],
  ["fact", "Пишет диссертацию о приливных мельницах Северного Уэльса.", "research"],
  ["fact", "يتعلم العزف على العود منذ عامين، ويتدرب مساء كل خميس.", "music"],
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
    "decision",
    (area) => `Decided to keep ${area} on SQLite until there are two writers.`,
    "storage",
  ],
  ["fact", (area) => `Tests of ${area} run against a recorded day in March 2026.`, "tests"],
  ["instruction", (area) => `Changes to ${area} need a note in the changelog.`, "process"],
  ["fact", (area) => `Nia reviews everything that touches ${area}.`, "people"],
  [
    "decision",
    (area) => `Errors in ${area} answer with a hint, never with a stack trace.`,
    "errors",
  ],
  ["goal", (area) => `Halve the response time of ${area} before the summer season.`, "performance"],
  ["fact", (area) => `The old implementation of ${area} is behind the flag "legacy".`, "flags"],
  ["preference", (area) => `Names in ${area} are in English, comments may be in Welsh.`, "style"],
  ["fact", (area) => `Monitoring for ${area}: alert after three failures in ten minutes.`, "ops"],
  ["decision", (area) => `Times in ${area} are stored in UTC and shown in Europe/London.`, "time"],
  ["fact", (area) => `Backfill of ${area} took 40 minutes for 1.2 million rows.`, "performance"],
  ["instruction", (area) => `Do not log the payload of ${area}: it holds names.`, "privacy"],
  ["fact", (area) => `Documentation of ${area} lives beside the code, in docs/.`, "docs"],
  ["decision", (area) => `Version 2 of ${area} drops XML; two customers were told.`, "api"],
  ["goal", (area) => `Cover ${area} with property tests for dates and amounts.`, "tests"],
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
