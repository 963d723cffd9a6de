/** What the documents say of this repository: links lead somewhere, commands are there, and each promise names tests that there are. */
import { access, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

const DOCUMENTS = ["README.md", "ARCHITECTURE.md", "bench/RESULTS.md"];
/** Set as code, with the folder that it lies in. */
const FILE = /`([\w.-]+(?:\/[\w.-]+)+\.(?:tsx?|js|json|md|css))`/g;
/** From where the documents name files. */
const PLACES = ["", "src", "apps", "apps/dashboard", "bench", "public/assets"];
/** Which a client or an archive has. */
const OF_OTHERS = [".vscode/mcp.json", "markdown/memories.md", "markdown/conversations/YYYY-MM.md"];

test.for(DOCUMENTS)(
  "%s: each relative link leads to a file, and to a heading where it names one",
  async (document) => {
    const lost: string[] = [];
    for (const target of linksIn(await read(document))) {
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? document : join(dirname(document), path);
      if (!(await isThere(file))) lost.push(target);
      else if (anchor !== undefined && !anchorsIn(await read(file)).has(anchor)) lost.push(target);
    }
    expect(lost).toEqual([]);
  },
);

test.for(DOCUMENTS)("%s: the files and npm scripts that it names are there", async (document) => {
  const text = await read(document);
  const files = Array.from(text.matchAll(FILE), ([, file = ""]) => file);
  const found = await Promise.all(
    files.map(async (file) => {
      const places = await Promise.all(PLACES.map((place) => isThere(join(place, file))));
      return places.includes(true) || OF_OTHERS.includes(file);
    }),
  );
  expect(files.filter((_, at) => !found[at])).toEqual([]);
  // The package's own file.
  const { scripts } = JSON.parse(await read("package.json")) as { scripts: object };
  const run = Array.from(text.matchAll(/\bnpm run (?:--\S+ )?([\w:-]+)/g), ([, name = ""]) => name);
  expect(run.filter((name) => !Object.keys(scripts).includes(name))).toEqual([]);
});

test("each of the README's seven promises names tests by their words, and they are in the files that it links", async () => {
  const [, section = ""] =
    /^## What Cofio promises\n(.*?)^## /ms.exec(await read("README.md")) ?? [];
  const promises = section.split("\n").filter((line) => line.startsWith("| **"));
  expect(promises).toHaveLength(7);
  for (const promise of promises) {
    const shown = [...promise.matchAll(/\["([^"]+)"\]\(([^)]+)\)/g)];
    expect(shown.length, promise).toBeGreaterThan(1);
    expect(shown, promise).toHaveLength(promise.match(/\]\(test\//g)?.length ?? 0);
    for (const [, name = "", file = ""] of shown) {
      expect(testsIn(await read(file)), file).toContain(name);
    }
  }
});

/** Of Markdown and HTML, those that lead to no other host. */
function linksIn(markdown: string): string[] {
  const links = withoutCode(markdown).matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g);
  return Array.from(links, ([, link, attribute]) => link ?? attribute ?? "").filter(
    (target) => !/^[a-z]+:/.test(target),
  );
}

/** As GitHub makes them of headings. */
function anchorsIn(markdown: string): Set<string> {
  const headings = markdown.replaceAll(/^```.*?^```/gms, "").matchAll(/^#+ (.+)$/gm);
  return new Set(
    Array.from(headings, ([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\- _]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```.*?^```/gms, "").replaceAll(/`[^`\n]*`/g, "");
}

/** Names of tests, whose first argument may stand on a line of its own. */
function testsIn(source: string): string[] {
  return Array.from(source.matchAll(/^test\(\s*("(?:[^"\\]|\\.)*")/gm), ([, name = ""]) =>
    String(JSON.parse(name)),
  );
}

function read(file: string): Promise<string> {
  return readFile(join(root, file), "utf8");
}

async function isThere(file: string): Promise<boolean> {
  return access(join(root, file)).then(
    () => true,
    () => false,
  );
}
