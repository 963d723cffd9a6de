import { parse as parseToml } from "smol-toml";
import { expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { clientsFor, type Way } from "../../apps/dashboard/pages/connect/clients.ts";
import pinned from "../clients/package.json" with { type: "json" };

const URL_HERE = "https://cofio.example.com/mcp";
const clients = clientsFor(URL_HERE);
const ways = clients.flatMap((client) => client.ways.map((way) => ({ id: client.id, way })));

test("at least twenty clients, each once, with what comes next and the month of the check", () => {
  expect(clients.length).toBeGreaterThanOrEqual(20);
  expect(new Set(clients.map(({ id }) => id)).size).toBe(clients.length);
  for (const { id, next, checked } of clients) {
    expect(next, id).toMatch(/^[A-Z].*\.$/);
    expect(checked, id).toMatch(/^20\d\d-(0[1-9]|1[0-2])$/);
  }
});

test("every file to paste parses, and holds the address exactly once", () => {
  const files = ways.flatMap(({ id, way }) => (way.kind === "file" ? [{ id, way }] : []));
  expect(files.length).toBeGreaterThan(20);
  for (const { id, way } of files) {
    const strings = stringsIn(PARSERS[way.language](way.text));
    expect(
      strings.filter((text) => text.includes("cofio.example.com")),
      id,
    ).toEqual([URL_HERE]);
  }
});

test("every command names the address, and a token only where the card says so", () => {
  for (const { id, way } of ways) {
    if (way.kind === "menu") continue;
    const text = way.kind === "link" ? way.href : way.text;
    expect(text.includes("TOKEN") && !text.includes("COFIO_TOKEN"), id).toBe(
      way.needsToken === true,
    );
    if (way.kind !== "command" || text.startsWith("Authorization")) continue;
    expect(
      text.split(/[\s'",]+/).filter((word) => word.startsWith("https")),
      id,
    ).toEqual([text.includes("?tools=chatgpt") ? `${URL_HERE}?tools=chatgpt` : URL_HERE]);
  }
});

test("every link is of a known scheme and leads to the address, without one that could run a script", () => {
  const schemes = new Set<string>();
  for (const { id, way } of ways) {
    if (way.kind !== "link") continue;
    schemes.add(new URL(way.href).protocol);
    expect(decoded(way.href), id).toContain(URL_HERE);
  }
  expect([...schemes].sort()).toEqual([
    "cursor:",
    "goose:",
    "https:",
    "lmstudio:",
    "vscode-insiders:",
    "vscode:",
  ]);
});

test("deeplinks, byte for byte", () => {
  expect(linksOf("claude")).toEqual([
    "https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName=Cofio&connectorUrl=https%3A%2F%2Fcofio.example.com%2Fmcp",
  ]);
  const base64 = "eyJ1cmwiOiJodHRwczovL2NvZmlvLmV4YW1wbGUuY29tL21jcCJ9";
  expect(linksOf("cursor")).toEqual([
    `cursor://anysphere.cursor-deeplink/mcp/install?name=cofio&config=${base64}`,
    `https://cursor.com/en/install-mcp?name=cofio&config=${base64}`,
  ]);
  expect(linksOf("lm-studio")).toEqual([
    `lmstudio://add_mcp?name=cofio&config=${base64}`,
    `https://lmstudio.ai/install-mcp?name=cofio&config=${base64}`,
  ]);
  const vsCode =
    "%7B%22name%22%3A%22cofio%22%2C%22type%22%3A%22http%22%2C%22url%22%3A%22https%3A%2F%2Fcofio.example.com%2Fmcp%22%7D";
  expect(linksOf("vs-code")).toEqual([
    `vscode:mcp/install?${vsCode}`,
    `vscode-insiders:mcp/install?${vsCode}`,
    `https://insiders.vscode.dev/redirect?url=vscode%3Amcp%2Finstall%3F${vsCode.replaceAll("%", "%25")}`,
  ]);
  expect(linksOf("kiro")).toEqual([
    "https://kiro.dev/launch/mcp/add?name=cofio&config=%7B%22url%22%3A%22https%3A%2F%2Fcofio.example.com%2Fmcp%22%7D",
  ]);
  // A length that base64 fills up: the sign for it is no plain `=` in a query.
  const [padded] =
    clientsFor("https://c.example/mcp").find(({ id }) => id === "cursor")?.ways ?? [];
  expect(padded?.kind === "link" ? padded.href : "").toMatch(/config=[A-Za-z0-9]+(?:%3D){1,2}$/);
});

test("what is said to have been tried is the version that test/clients runs", () => {
  const trials = clients.flatMap(({ id, tried }) => (tried === undefined ? [] : [{ id, tried }]));
  expect(trials.map(({ id }) => id).sort()).toEqual(Object.keys(PACKAGES).sort());
  for (const { id, tried } of trials) {
    expect(PINNED[PACKAGES[id] ?? ""]?.split("-")[0], id).toBe(tried.version);
  }
});

test("Claude Code's option for headers takes all words after it, so the name and the address stand before it", () => {
  const lines = waysOf("claude-code").flatMap((way) => (way.kind === "command" ? [way.text] : []));
  expect(lines.filter((line) => line.includes("--header"))).toEqual([
    `claude mcp add --transport http --scope user cofio ${URL_HERE} --header "Authorization: Bearer TOKEN"`,
  ]);
});

test("key names that differ between programs", () => {
  expect(fileOf("vs-code")).toEqual({ servers: { cofio: { type: "http", url: URL_HERE } } });
  expect(fileOf("cursor")).toEqual({ mcpServers: { cofio: { url: URL_HERE } } });
  expect(fileOf("windsurf")).toEqual({ mcpServers: { cofio: { serverUrl: URL_HERE } } });
  expect(fileOf("gemini-cli")).toEqual({ mcpServers: { cofio: { httpUrl: URL_HERE } } });
  expect(fileOf("zed")).toEqual({ context_servers: { cofio: { url: URL_HERE } } });
  expect(fileOf("codex")).toEqual({ mcp_servers: { cofio: { url: URL_HERE } } });
  expect(fileOf("goose")).toMatchObject({
    extensions: { cofio: { type: "streamable_http", uri: URL_HERE, enabled: true } },
  });
  expect(fileOf("cline")).toEqual({
    mcpServers: { cofio: { url: URL_HERE, type: "streamableHttp", disabled: false } },
  });
  expect(fileOf("roo-code")).toEqual({
    mcpServers: { cofio: { type: "streamable-http", url: URL_HERE } },
  });
  expect(fileOf("copilot-cli")).toEqual({
    mcpServers: { cofio: { type: "http", url: URL_HERE, tools: ["*"] } },
  });
});

const PINNED: Readonly<Record<string, string>> = pinned.dependencies;
/** Of each entry that was tried. */
const PACKAGES: Readonly<Record<string, string>> = {
  "claude-code": "@anthropic-ai/claude-code",
  codex: "@openai/codex",
  "gemini-cli": "@google/gemini-cli",
  "qwen-code": "@qwen-code/qwen-code",
  "copilot-cli": "@github/copilot",
  opencode: "opencode-ai",
  amp: "@sourcegraph/amp",
  factory: "droid",
};

const PARSERS: Readonly<Record<"json" | "toml" | "yaml", (text: string) => unknown>> = {
  json: (text) => JSON.parse(text),
  toml: (text) => parseToml(text),
  yaml: (text) => parseYaml(text),
};

function waysOf(id: string): readonly Way[] {
  return clients.find((client) => client.id === id)?.ways ?? [];
}

function linksOf(id: string): string[] {
  return waysOf(id).flatMap((way) => (way.kind === "link" ? [way.href] : []));
}

/** The first file of a client, as it parses it. */
function fileOf(id: string): unknown {
  const file = waysOf(id).find((way) => way.kind === "file");
  return file?.kind === "file" ? PARSERS[file.language](file.text) : null;
}

/** All that stands in a link, out of its percent signs and its base64. */
function decoded(href: string): string {
  let text = href;
  while (/%[0-9A-F]{2}/.test(text)) text = decodeURIComponent(text);
  const config = /[?&]config=([A-Za-z0-9+/=]+)$/.exec(text)?.[1];
  return config === undefined ? text : atob(config);
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}
