/**
 * How each program is connected: its link, command or file, and what to know about it. Facts of other people's products, which change
 * often, so all of them stand here, and `checked` says when an entry was last compared with what its maker documents.
 */

export const CLIENT_KINDS = {
  chat: "Chat apps",
  editor: "Editors",
  terminal: "Terminal",
  other: "Everything else",
} as const;
export type ClientKind = keyof typeof CLIENT_KINDS;

export interface Client {
  /** Short and for good: links lead to it. */
  readonly id: string;
  readonly name: string;
  readonly kind: ClientKind;
  /** Other names that people look for it by. */
  readonly alsoCalled?: string;
  /** The best first. */
  readonly ways: readonly [Way, ...Way[]];
  /** What the person sees after it, in a sentence. */
  readonly next: string;
  readonly notes?: readonly string[];
  /** Its maker's servers call, and not the person's computer: they cannot reach a server that runs there. */
  readonly isRemote?: true;
  /** The month in which every fact of this entry was last checked. */
  readonly checked: `${number}-${number}`;
  /** What test/clients/ ran of it against this server, and when. Without it, the entry is its maker's word alone. */
  readonly tried?: Trial;
}

export interface Trial {
  readonly version: string;
  readonly on: `${number}-${number}-${number}`;
  /** connected: it listed its tools here. read: its own parser took what stands here; to connect, it asks for its maker's account. */
  readonly went: "connected" | "read";
}

export type Way = {
  /** When to take it, where it is not the first choice. */
  readonly when?: string;
  /** `TOKEN` in its text stands for a personal access token. */
  readonly needsToken?: true;
} & (
  | { readonly kind: "link"; readonly name: string; readonly href: string }
  | { readonly kind: "menu"; readonly steps: readonly string[] }
  | { readonly kind: "command"; readonly text: string }
  | {
      readonly kind: "file";
      /** Where it is, or where its text is pasted. */
      readonly path: string;
      readonly language: "json" | "toml" | "yaml";
      readonly text: string;
    }
);

/** The same everywhere: some apps make the names of tools from it. */
const NAME = "cofio";
const BEARER = "Bearer TOKEN";

/** @param url of the server, as it is to be given: `https://HOST/mcp` */
export function clientsFor(url: string): readonly Client[] {
  const encodedUrl = encodeURIComponent(url);
  const bare = { url };
  const withType = { type: "http", url };
  const withToken = { ...bare, headers: { Authorization: BEARER } };
  const vsCode = encodeURIComponent(JSON.stringify({ name: NAME, ...withType }));
  return [
    {
      id: "claude",
      name: "Claude",
      kind: "chat",
      alsoCalled: "Anthropic Claude Desktop claude.ai mobile",
      isRemote: true,
      checked: "2026-11",
      ways: [
        {
          kind: "link",
          name: "Add to Claude",
          href: `https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName=Cofio&connectorUrl=${encodedUrl}`,
        },
        {
          kind: "menu",
          when: "If the link does not open the form",
          steps: ["Customize", "Connectors", "+", "Add custom connector"],
        },
      ],
      next: "Claude warns that it does not know this connector; after that, this server asks what Claude may do.",
      notes: [
        "Once is enough: web, desktop and phone share it.",
        "The free plan has room for one connector of your own.",
        "Claude Desktop does not read servers on the web from claude_desktop_config.json.",
      ],
    },
    {
      id: "chatgpt",
      name: "ChatGPT",
      kind: "chat",
      alsoCalled: "OpenAI",
      isRemote: true,
      checked: "2026-11",
      ways: [
        {
          kind: "menu",
          steps: [
            "Settings",
            "Apps",
            "Advanced settings",
            "Developer mode: on",
            "Create app: name, address, OAuth",
          ],
        },
        {
          kind: "menu",
          when: "Newer accounts",
          steps: ["chatgpt.com/plugins", "+", "Custom MCP server"],
        },
        {
          kind: "command",
          when: "A second app for deep research, which asks for just two reading tools: give it this address",
          text: `${url}?tools=chatgpt`,
        },
      ],
      next: "ChatGPT sends you here to choose what it may do, and then lists the tools that it found.",
      notes: [
        "Set it up on the web; the phone apps use it afterwards.",
        "Whether it may save depends on your plan: some may only read.",
        "After an update of this server, remove the app and create it again.",
      ],
    },
    {
      id: "le-chat",
      name: "Le Chat",
      kind: "chat",
      alsoCalled: "Mistral",
      isRemote: true,
      checked: "2026-11",
      ways: [{ kind: "menu", steps: ["Intelligence", "Connectors", "+", "Custom MCP connector"] }],
      next: "Le Chat sends you here to choose what it may do.",
    },
    {
      id: "lm-studio",
      name: "LM Studio",
      kind: "chat",
      checked: "2026-11",
      ways: [
        {
          kind: "link",
          name: "Add to LM Studio",
          href: `lmstudio://add_mcp?name=${NAME}&config=${inBase64(bare)}`,
        },
        {
          kind: "file",
          when: "If it does not let you sign in",
          path: "~/.lmstudio/mcp.json",
          language: "json",
          needsToken: true,
          text: asJson({ mcpServers: { [NAME]: withToken } }),
        },
        {
          kind: "link",
          when: "If the button does nothing",
          name: "Add by the web page",
          href: `https://lmstudio.ai/install-mcp?name=${NAME}&config=${inBase64(bare)}`,
        },
      ],
      next: "LM Studio shows the server and asks whether to install it.",
    },
    {
      id: "goose",
      name: "Goose",
      kind: "chat",
      alsoCalled: "Block",
      checked: "2026-11",
      ways: [
        {
          kind: "link",
          name: "Add to Goose",
          href: `goose://extension?type=streamable_http&url=${encodedUrl}&id=${NAME}&name=Cofio&description=${encodeURIComponent("Memory across assistants")}`,
        },
        {
          kind: "file",
          path: "~/.config/goose/config.yaml",
          language: "yaml",
          text: [
            "extensions:",
            `  ${NAME}:`,
            "    name: Cofio",
            "    type: streamable_http",
            `    uri: ${url}`,
            "    enabled: true",
            "    timeout: 300",
          ].join("\n"),
        },
      ],
      next: "Goose asks whether to add the extension; then your browser opens this server.",
      notes: ["In the file the address is called uri, not url."],
    },
    {
      id: "cursor",
      name: "Cursor",
      kind: "editor",
      checked: "2026-11",
      ways: [
        {
          kind: "link",
          name: "Add to Cursor",
          href: `cursor://anysphere.cursor-deeplink/mcp/install?name=${NAME}&config=${inBase64(bare)}`,
        },
        {
          kind: "file",
          path: "~/.cursor/mcp.json",
          language: "json",
          text: asJson({ mcpServers: { [NAME]: bare } }),
        },
        {
          kind: "link",
          when: "If the button does nothing",
          name: "Add by the web page",
          href: `https://cursor.com/en/install-mcp?name=${NAME}&config=${inBase64(bare)}`,
        },
      ],
      next: "Cursor asks whether to install the server; then your browser opens this server.",
      notes: [
        "It signs in by your browser and takes no token from its settings.",
        "Its sign-in may listen on port 8787: a Cofio on the same computer needs another one (PORT).",
      ],
    },
    {
      id: "vs-code",
      name: "VS Code",
      kind: "editor",
      alsoCalled: "Visual Studio Code GitHub Copilot Insiders",
      checked: "2026-11",
      ways: [
        { kind: "link", name: "Add to VS Code", href: `vscode:mcp/install?${vsCode}` },
        {
          kind: "file",
          path: ".vscode/mcp.json",
          language: "json",
          text: asJson({ servers: { [NAME]: withType } }),
        },
        {
          kind: "command",
          text: `code --add-mcp '${JSON.stringify({ name: NAME, ...withType })}'`,
        },
        {
          kind: "link",
          when: "The Insiders edition",
          name: "Add to Insiders",
          href: `vscode-insiders:mcp/install?${vsCode}`,
        },
        {
          kind: "link",
          when: "If the button does nothing",
          name: "Add by the web page",
          href: `https://insiders.vscode.dev/redirect?url=${encodeURIComponent(`vscode:mcp/install?${vsCode}`)}`,
        },
      ],
      next: "VS Code shows the server with an Install button; then your browser opens this server.",
      notes: ["In its files the servers stand under servers, not mcpServers."],
    },
    {
      id: "visual-studio",
      name: "Visual Studio",
      kind: "editor",
      alsoCalled: "2022 Copilot Microsoft",
      checked: "2026-11",
      ways: [
        {
          kind: "file",
          path: ".mcp.json, beside the solution or in your user folder",
          language: "json",
          text: asJson({ servers: { [NAME]: withType } }),
        },
      ],
      next: "A line above the entry in the file lets you sign in.",
      notes: ["From version 17.14.9."],
    },
    {
      id: "windsurf",
      name: "Windsurf",
      kind: "editor",
      alsoCalled: "Devin Desktop Codeium",
      checked: "2026-11",
      ways: [
        {
          kind: "file",
          path: "~/.codeium/windsurf/mcp_config.json",
          language: "json",
          text: asJson({ mcpServers: { [NAME]: { serverUrl: url } } }),
        },
        {
          kind: "file",
          when: "Older versions, which cannot sign in",
          path: "~/.codeium/windsurf/mcp_config.json",
          language: "json",
          needsToken: true,
          text: asJson({
            mcpServers: { [NAME]: { serverUrl: url, headers: withToken.headers } },
          }),
        },
      ],
      next: "Refresh its list of servers: your browser opens this server.",
      notes: ["The address is called serverUrl, not url."],
    },
    {
      id: "antigravity",
      name: "Antigravity",
      kind: "editor",
      alsoCalled: "Google",
      checked: "2026-11",
      ways: [
        {
          kind: "file",
          path: "~/.gemini/antigravity/mcp_config.json",
          language: "json",
          text: asJson({ mcpServers: { [NAME]: { serverUrl: url } } }),
        },
      ],
      next: "Refresh its list of servers: your browser opens this server.",
      notes: ["The address is called serverUrl, not url."],
    },
    {
      id: "zed",
      name: "Zed",
      kind: "editor",
      checked: "2026-11",
      ways: [
        {
          kind: "file",
          path: "Zed's settings.json",
          language: "json",
          text: asJson({ context_servers: { [NAME]: bare } }),
        },
      ],
      next: "Zed opens this server in your browser the first time it needs it.",
    },
    {
      id: "jetbrains",
      name: "JetBrains AI Assistant",
      kind: "editor",
      alsoCalled: "IntelliJ IDEA PyCharm WebStorm Rider",
      checked: "2026-11",
      ways: [
        {
          kind: "file",
          path: "Settings → Tools → AI Assistant → MCP → + → HTTP",
          language: "json",
          needsToken: true,
          text: asJson({ mcpServers: { [NAME]: withToken } }),
        },
      ],
      next: "The server appears in the list with its tools.",
      notes: ["That it could sign in by a browser is not documented, so it gets a token."],
    },
    {
      id: "copilot-elsewhere",
      name: "Copilot in JetBrains, Xcode, Eclipse",
      kind: "editor",
      alsoCalled: "GitHub Copilot IntelliJ",
      checked: "2026-11",
      ways: [
        {
          kind: "file",
          path: "mcp.json, from the MCP settings of Copilot",
          language: "json",
          needsToken: true,
          text: asJson({
            servers: { [NAME]: { url, requestInit: { headers: withToken.headers } } },
          }),
        },
      ],
      next: "Copilot's agent lists the tools of the server.",
      notes: ["Headers stand under requestInit."],
    },
    {
      id: "cline",
      name: "Cline",
      kind: "editor",
      checked: "2026-11",
      ways: [
        {
          kind: "file",
          path: "cline_mcp_settings.json",
          language: "json",
          text: asJson({
            mcpServers: { [NAME]: { url, type: "streamableHttp", disabled: false } },
          }),
        },
      ],
      next: "The server appears in Cline's list; your browser opens this server to sign in.",
      notes: ["The type is streamableHttp, written exactly so: otherwise it does not connect."],
    },
    {
      id: "roo-code",
      name: "Roo Code",
      kind: "editor",
      checked: "2026-11",
      ways: [
        {
          kind: "file",
          path: "mcp_settings.json, or .roo/mcp.json in a project",
          language: "json",
          text: asJson({ mcpServers: { [NAME]: { type: "streamable-http", url } } }),
        },
      ],
      next: "The server appears in Roo Code's list; your browser opens this server to sign in.",
      notes: ["The type is streamable-http, written exactly so: otherwise it does not connect."],
    },
    {
      id: "kilo-code",
      name: "Kilo Code",
      kind: "editor",
      checked: "2026-11",
      ways: [
        {
          kind: "file",
          path: "kilo.jsonc",
          language: "json",
          text: asJson({ mcp: { [NAME]: { type: "remote", url, enabled: true } } }),
        },
      ],
      next: "Your browser opens this server.",
      notes: ["With a header in the entry it does not offer to sign in."],
    },
    {
      id: "kiro",
      name: "Kiro",
      kind: "editor",
      alsoCalled: "Amazon AWS",
      checked: "2026-11",
      ways: [
        {
          kind: "link",
          name: "Add to Kiro",
          href: `https://kiro.dev/launch/mcp/add?name=${NAME}&config=${encodeURIComponent(JSON.stringify(bare))}`,
        },
        {
          kind: "file",
          path: "~/.kiro/settings/mcp.json",
          language: "json",
          text: asJson({ mcpServers: { [NAME]: bare } }),
        },
      ],
      next: "Kiro asks whether to add the server; then your browser opens this server.",
    },
    {
      id: "claude-code",
      name: "Claude Code",
      kind: "terminal",
      alsoCalled: "Anthropic",
      checked: "2026-11",
      tried: { version: "2.1.330", on: "2026-11-23", went: "connected" },
      ways: [
        { kind: "command", text: `claude mcp add --transport http --scope user ${NAME} ${url}` },
        {
          kind: "file",
          when: "For everybody in one project",
          path: ".mcp.json",
          language: "json",
          text: asJson({ mcpServers: { [NAME]: withType } }),
        },
        {
          kind: "command",
          when: "On a machine without a browser",
          needsToken: true,
          text: `claude mcp add --transport http --scope user ${NAME} ${url} --header "Authorization: ${BEARER}"`,
        },
      ],
      next: "Type /mcp in Claude Code and choose cofio: your browser opens this server.",
      notes: [
        "Without --scope user it is added to the present project only.",
        "If its tools do not appear after you signed in, choose Reconnect in /mcp.",
      ],
    },
    {
      id: "codex",
      name: "Codex",
      kind: "terminal",
      alsoCalled: "OpenAI CLI IDE",
      checked: "2026-11",
      tried: { version: "0.169.0", on: "2026-11-23", went: "connected" },
      ways: [
        { kind: "command", text: `codex mcp add ${NAME} --url ${url}` },
        {
          kind: "file",
          path: "~/.codex/config.toml",
          language: "toml",
          text: `[mcp_servers.${NAME}]\nurl = ${JSON.stringify(url)}`,
        },
        {
          kind: "file",
          when: "On a machine without a browser: with the token in the variable COFIO_TOKEN",
          path: "~/.codex/config.toml",
          language: "toml",
          text: `[mcp_servers.${NAME}]\nurl = ${JSON.stringify(url)}\nbearer_token_env_var = "COFIO_TOKEN"`,
        },
      ],
      next: "Your browser opens this server, which asks what Codex may do. After the file, type codex mcp login cofio for that.",
    },
    {
      id: "gemini-cli",
      name: "Gemini CLI",
      kind: "terminal",
      alsoCalled: "Google",
      checked: "2026-11",
      tried: { version: "0.61.0", on: "2026-11-23", went: "connected" },
      ways: [
        {
          kind: "command",
          text: `gemini mcp add --transport http --scope user ${NAME} ${url}`,
        },
        {
          kind: "file",
          path: "~/.gemini/settings.json",
          language: "json",
          text: asJson({ mcpServers: { [NAME]: { httpUrl: url } } }),
        },
      ],
      next: "Type /mcp auth cofio in Gemini CLI: your browser opens this server.",
      notes: [
        "Without --scope user it is added to the present project only.",
        "In a folder that you have not told it to trust, it connects to no server.",
      ],
    },
    {
      id: "qwen-code",
      name: "Qwen Code",
      kind: "terminal",
      alsoCalled: "Alibaba",
      checked: "2026-11",
      tried: { version: "0.24.4", on: "2026-11-23", went: "connected" },
      ways: [
        {
          kind: "command",
          text: `qwen mcp add --transport http --scope user ${NAME} ${url}`,
        },
        {
          kind: "file",
          path: "~/.qwen/settings.json",
          language: "json",
          text: asJson({ mcpServers: { [NAME]: { httpUrl: url } } }),
        },
      ],
      next: "Type /mcp in Qwen Code and choose cofio to sign in.",
      notes: ["The address is called httpUrl; url means an older kind of connection."],
    },
    {
      id: "copilot-cli",
      name: "Copilot CLI",
      kind: "terminal",
      alsoCalled: "GitHub",
      checked: "2026-11",
      tried: { version: "1.0.102", on: "2026-11-23", went: "read" },
      ways: [
        {
          kind: "file",
          path: "~/.copilot/mcp-config.json",
          language: "json",
          text: asJson({ mcpServers: { [NAME]: { ...withType, tools: ["*"] } } }),
        },
      ],
      next: "Start Copilot again: it lists the tools of the server.",
      notes: ["Without tools in the entry it offers none of them."],
    },
    {
      id: "opencode",
      name: "opencode",
      kind: "terminal",
      checked: "2026-11",
      tried: { version: "1.18.33", on: "2026-11-23", went: "connected" },
      ways: [
        {
          kind: "file",
          path: "opencode.json",
          language: "json",
          text: asJson({ mcp: { [NAME]: { type: "remote", url, enabled: true } } }),
        },
      ],
      next: "Type opencode mcp auth cofio in a terminal: your browser opens this server.",
      notes: ["With a header in the entry it does not offer to sign in."],
    },
    {
      id: "amp",
      name: "Amp",
      kind: "terminal",
      alsoCalled: "Sourcegraph",
      checked: "2026-11",
      tried: { version: "0.0.1790142911", on: "2026-11-23", went: "read" },
      ways: [
        { kind: "command", text: `amp mcp add ${NAME} ${url}` },
        {
          kind: "command",
          when: "On a machine without a browser",
          needsToken: true,
          text: `amp mcp add ${NAME} --header "Authorization=${BEARER}" ${url}`,
        },
      ],
      next: "Your browser opens this server.",
      notes: ["Its headers are written with an equals sign."],
    },
    {
      id: "factory",
      name: "Factory",
      kind: "terminal",
      alsoCalled: "droid",
      checked: "2026-11",
      tried: { version: "0.215.0", on: "2026-11-23", went: "connected" },
      ways: [{ kind: "command", text: `droid mcp add ${NAME} ${url} --type http` }],
      next: "Start droid and type /mcp: your browser opens this server.",
    },
    {
      id: "crush",
      name: "Crush",
      kind: "terminal",
      alsoCalled: "Charm",
      checked: "2026-11",
      ways: [
        {
          kind: "file",
          path: "crush.json",
          language: "json",
          text: asJson({ mcp: { [NAME]: withType } }),
        },
      ],
      next: "Start Crush again: it lists the server.",
    },
    {
      id: "warp",
      name: "Warp",
      kind: "terminal",
      checked: "2026-11",
      ways: [
        {
          kind: "file",
          path: "Settings → Agents → MCP servers → + Add",
          language: "json",
          text: asJson({ [NAME]: bare }),
        },
        {
          kind: "file",
          when: "If signing in is refused",
          path: "Settings → Agents → MCP servers → + Add",
          language: "json",
          needsToken: true,
          text: asJson({ [NAME]: withToken }),
        },
      ],
      next: "Warp starts the server, and your browser opens this server.",
    },
    {
      id: "raycast",
      name: "Raycast",
      kind: "other",
      checked: "2026-11",
      ways: [
        {
          kind: "menu",
          steps: ["Install MCP Server", "Transport: HTTP", "paste the address", "Sign In"],
        },
      ],
      next: "Your browser opens this server, which asks what Raycast may do.",
    },
    {
      id: "many",
      name: "Many apps at once",
      kind: "other",
      alsoCalled: "add-mcp",
      checked: "2026-11",
      ways: [{ kind: "command", text: `npx add-mcp ${url} --name ${NAME}` }],
      next: "It asks which apps you mean, and writes the settings of each.",
      notes: ["Of some 15 apps. It is made by others, and needs Node.js."],
    },
    {
      id: "scripts",
      name: "n8n, agents, scripts",
      kind: "other",
      alsoCalled: "automation Claude Agent SDK LangChain API header",
      checked: "2026-11",
      ways: [
        {
          kind: "command",
          when: "Transport “Streamable HTTP”, the address above, and this header",
          needsToken: true,
          text: `Authorization: ${BEARER}`,
        },
      ],
      next: "The app lists the tools of this server.",
      notes: ["The Claude Agent SDK opens no browser: it needs the token."],
    },
    {
      id: "stdio",
      name: "Apps that only start commands",
      kind: "other",
      alsoCalled: "stdio mcp-remote npx bridge",
      checked: "2026-11",
      ways: [
        {
          kind: "file",
          when: "With the program cofio installed; it signs in by your browser",
          path: "the app's settings",
          language: "json",
          text: asJson({ mcpServers: { [NAME]: { command: "cofio", args: ["connect", url] } } }),
        },
        {
          kind: "file",
          when: "With mcp-remote, which is made by others and needs Node.js",
          path: "the app's settings",
          language: "json",
          needsToken: true,
          text: asJson({
            mcpServers: {
              [NAME]: {
                command: "npx",
                args: ["-y", "mcp-remote", url, "--header", "Authorization:${AUTH}"],
                env: { AUTH: BEARER },
              },
            },
          }),
        },
      ],
      next: "The app starts the command, which stands in for this server.",
      notes: ["No space after the colon: some apps split the text there."],
    },
  ];
}

function asJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** For a query: base64 of compact JSON, then percent-encoded. */
function inBase64(value: unknown): string {
  return encodeURIComponent(btoa(JSON.stringify(value)));
}
