/** The Web Worker of the import page: unzips, reads and sends there, so that the page stays quick whatever the size of the files. */
import { UserError } from "../../src/errors.ts";
import { ImportRefused, send, survey, type PreparedUpload } from "../../src/transfer/send.ts";
import { callApi, NoConnection } from "./call-api.ts";
import type { Choice, FromReader, ReaderProblem, ToReader } from "./messages.ts";
import { openNetwork } from "./network.ts";

/** Shorter than a glance. Arbitrary. */
const PROGRESS_MS = 100;

const network = openNetwork();
let upload: PreparedUpload | null = null;
let running = new AbortController();

addEventListener("message", ({ data }: MessageEvent<ToReader>) => {
  switch (data.type) {
    case "survey":
      void answer(() => surveyFiles(data.files));
      break;
    case "send":
      void answer(() => sendUpload(data.choice));
      break;
    case "stop":
      running.abort();
      break;
    case "network":
      network.set(data.isThere);
      break;
  }
});

async function surveyFiles(files: readonly File[]): Promise<FromReader> {
  let toldAt = Date.now();
  upload = await survey(files, (found) => {
    if (Date.now() - toldAt < PROGRESS_MS) return;
    toldAt = Date.now();
    tell({ type: "surveying", found });
  });
  return { type: "surveyed", survey: upload.survey };
}

async function sendUpload(choice: Choice): Promise<FromReader> {
  if (upload === null) throw new Error("Nothing was surveyed");
  running = new AbortController();
  const { signal } = running;
  for (;;) {
    try {
      return { type: "finished", answer: await sendOnce(upload, choice, signal) };
    } catch (error) {
      if (signal.aborted) return { type: "stopped" };
      // It was asked for minutes. As long as the page is open it goes on where it stopped.
      if (!(error instanceof NoConnection)) throw error;
    }
  }
}

function sendOnce(prepared: PreparedUpload, choice: Choice, signal: AbortSignal) {
  let told = { phase: "", at: 0 };
  return send(prepared, {
    ...choice,
    signal,
    call: async (path, body) => {
      await network.whenThere(signal);
      return callApi(`/imports${path}`, body);
    },
    onDelay: () => tell({ type: "delayed" }),
    onProgress(progress) {
      const { phase } = progress;
      if (phase === told.phase && Date.now() - told.at < PROGRESS_MS) return;
      told = { phase, at: Date.now() };
      tell({ type: "progress", progress });
    },
  });
}

/** What nobody foresaw becomes an error event of the Worker, which the page hears and the console shows. */
async function answer(work: () => Promise<FromReader>): Promise<void> {
  try {
    tell(await work());
  } catch (error) {
    const problem = problemIn(error);
    if (problem === null) reportError(error);
    else tell({ type: "failed", problem });
  }
}

function problemIn(error: unknown): ReaderProblem | null {
  if (error instanceof UserError || error instanceof ImportRefused) {
    const { code, message, hint } = error;
    return { code, message, hint };
  }
  // A file that changed on the disk since it was chosen opens no more, nor does a folder.
  if (error instanceof DOMException && /^Not(?:Readable|Found)Error$/.test(error.name)) {
    return {
      code: "unreadable",
      message: "A chosen file cannot be read any more.",
      hint: "Choose the files again; a changed or moved file is another one to the browser.",
    };
  }
  return null;
}

function tell(message: FromReader): void {
  postMessage(message);
}
