/** Programs of which only the settings are tried here: how far each goes is in the test's name. */
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { tokenOf, wayOf } from "./support/cofio.ts";
import { type Computer, newComputer } from "./support/computer.ts";

let computer: Computer;

beforeAll(async () => {
  computer = await newComputer();
});

afterAll(() => computer?.remove());

test("Qwen Code takes the Connect page's command and writes its file; with a token it connects", async () => {
  await succeed(await wayOf("qwen-code", "command"));
  const written = JSON.parse(await computer.read(".qwen/settings.json"));
  expect(written).toMatchObject(JSON.parse(await wayOf("qwen-code", "file")));
  await succeed(
    `qwen mcp add --transport http --scope user headless ${inject("cofio").mcpUrl} --header "Authorization: Bearer ${await tokenOf("qwen")}"`,
  );
  expect((await computer.run("qwen mcp list")).output).toMatch(/headless: .* - Connected/);
});

test("Copilot CLI reads the Connect page's file (to connect, it asks for GitHub's account)", async () => {
  await computer.write(".copilot/mcp-config.json", await wayOf("copilot-cli", "file"));
  const output = await succeed("copilot mcp get cofio");
  expect(output).toContain("Type: http");
  expect(output).toContain(`URL: ${inject("cofio").mcpUrl}`);
  expect(output).toContain("Tools: * (all)");
});

test("Factory's droid takes the Connect page's command and asks for a sign-in; with a token it connects", async () => {
  await succeed(await wayOf("factory", "command"));
  await succeed(
    `droid mcp add headless ${inject("cofio").mcpUrl} --type http --header "Authorization: Bearer ${await tokenOf("droid")}"`,
  );
  const listed = await succeed("droid mcp list");
  expect(listed).toMatch(/cofio +http +needs authentication/);
  expect(listed).toMatch(/headless +http +connected/);
});

test("Amp takes both commands of the Connect page (to connect, it asks for its maker's account)", async () => {
  const { mcpUrl } = inject("cofio");
  await succeed(await wayOf("amp", "command"));
  await succeed(
    (await wayOf("amp", "command", { at: 1, user: "amp" })).replace(" cofio ", " headless "),
  );
  const written = JSON.parse(await computer.read(".config/amp/settings.json"));
  expect(written["amp.mcpServers"]).toMatchObject({
    cofio: { url: mcpUrl },
    headless: { url: mcpUrl, headers: { Authorization: expect.stringMatching(/^Bearer cofio_/) } },
  });
});

test("add-mcp writes settings that are those of the Connect page", async () => {
  const line = (await wayOf("many", "command")).replace(/^npx /, "");
  await succeed(`${line} --yes --global --agent cursor --agent vscode --agent opencode`);
  expect(JSON.parse(await computer.read(".cursor/mcp.json"))).toEqual(
    JSON.parse(await wayOf("cursor", "file")),
  );
});

async function succeed(line: string): Promise<string> {
  const { code, output } = await computer.run(line);
  expect(code, output).toBe(0);
  return output;
}
