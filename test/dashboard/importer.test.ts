/** The steps of an import on the page, whatever the page shows of them. */
import { expect, test } from "vitest";
import type { FromReader, ToReader } from "../../apps/import/messages.ts";
import {
  openImporter,
  type ImportAnswer,
  type Reader,
} from "../../apps/dashboard/pages/import/importer.ts";
import type { ImportProgress, Survey } from "../../src/transfer/send.ts";

// True of what the steps look at: they hand these on.
const SURVEY = {} as Survey;
const ANSWER = { operation_id: "op" } as ImportAnswer;
const UPLOAD = { survey: SURVEY, choice: { dryRun: false, account: null } };
const FILES = [new File(["[]"], "chat.json")];

test("a pasted list is there again after a check, a refusal and files, until it was imported", async () => {
  const { importer, answerList } = opened();
  importer.keepList("- Keeps bees");
  importer.sendList("- Keeps bees", { dryRun: true });
  expect(importer.step()).toEqual({ name: "list", dryRun: true });
  await answerList(ANSWER);
  expect(importer.step()).toMatchObject({ name: "report", checked: { list: "- Keeps bees" } });
  importer.restart();
  expect([importer.step().name, importer.list()]).toEqual(["choose", "- Keeps bees"]);

  importer.choose(FILES);
  importer.restart();
  expect(importer.list()).toBe("- Keeps bees");

  importer.sendList("- Keeps bees", { dryRun: false });
  const problem = { code: "offline", message: "No.", hint: "" };
  await answerList({ problem });
  expect(importer.step()).toMatchObject({ name: "choose", listProblem: problem });
  expect(importer.list()).toBe("- Keeps bees");

  importer.sendList("- Keeps bees", { dryRun: false });
  await answerList(ANSWER);
  expect(importer.step()).toMatchObject({ name: "report", operationId: "op", checked: null });
  expect(importer.list()).toBe("");
});

test("while a list is on its way no files begin, and while files are imported no list ends them", async () => {
  const { importer, answerList, say } = opened();
  importer.sendList("- Keeps bees", { dryRun: false });
  importer.choose(FILES);
  expect(importer.step().name).toBe("list");
  await answerList(ANSWER);
  importer.choose(FILES);
  say({ type: "surveyed", survey: SURVEY });
  importer.send(UPLOAD);
  importer.sendList("- Keeps bees", { dryRun: false });
  importer.choose(FILES);
  importer.refuse();
  expect(importer.step()).toMatchObject({ name: "run", upload: UPLOAD });
});

test("when the network is back nothing is said of the server that does not answer", () => {
  const { importer, say } = opened();
  importer.choose(FILES);
  say({ type: "surveyed", survey: SURVEY });
  importer.send(UPLOAD);
  importer.setNetwork(false);
  expect(importer.step()).toMatchObject({ awaits: "network" });
  importer.setNetwork(true);
  expect(importer.step()).toMatchObject({ awaits: null });
  say({ type: "delayed" });
  importer.setNetwork(true);
  expect(importer.step()).toMatchObject({ awaits: "server" });
});

test("the imports that this page was at work on are known", () => {
  const { importer, say } = opened();
  importer.choose(FILES);
  say({ type: "surveyed", survey: SURVEY });
  importer.send(UPLOAD);
  const done = { conversation: 0, message: 0, memory: 0 };
  say({ type: "progress", progress: { jobId: "job", done } as unknown as ImportProgress });
  expect([...importer.ownJobs()]).toEqual(["job"]);
});

/** With a reader and a server that say what the test has them say. */
function opened() {
  let hear: (event: { readonly data: FromReader }) => void = () => {};
  let answer: (answer: Awaited<ReturnType<typeof sendList>>) => void = () => {};
  const reader: Reader = {
    postMessage: (_message: ToReader) => {},
    addEventListener: (type: "message" | "error", heard: typeof hear) => {
      if (type === "message") hear = heard;
    },
    terminate: () => {},
  };
  function sendList() {
    return new Promise<ImportAnswer | { problem: { code: string; message: string; hint: string } }>(
      (resolve) => {
        answer = resolve;
      },
    );
  }
  return {
    importer: openImporter(() => reader, sendList),
    say: (data: FromReader) => hear({ data }),
    answerList: async (what: Parameters<typeof answer>[0]) => {
      answer(what);
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}
