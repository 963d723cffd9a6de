/** The Web Worker of the import page: unzips, reads and sends there, so that the page stays quick whatever the size of the files. */
import { UserError } from "../../src/errors.ts";
import { ImportRefused, send, survey, type PreparedUpload } from "../../src/transfer/send.ts";
import { callApi, NoConnection, NOT_CONNECTED, type Problem } from "./call-api.ts";
import type { Choice, FromReader, ToReader } from "./messages.ts";

/** Shorter than a glance. Arbitrary. */
const PROGRESS_MS = 100;

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
  }
});

async function surveyFiles(files: readonly File[]): Promise<FromReader> {
  upload = await survey(files);
  return { type: "surveyed", survey: upload.survey };
}

async function sendUpload(choice: Choice): Promise<FromReader> {
  if (upload === null) throw new Error("Nothing was surveyed");
  running = new AbortController();
  const { signal } = running;
  let told = { phase: "", at: 0 };
  try {
    const answer = await send(upload, {
      ...choice,
      signal,
      call: (path, body) => callApi("POST", `/imports${path}`, body),
      onDelay: () => tell({ type: "delayed" }),
      onProgress(progress) {
        const { phase } = progress;
        if (phase === told.phase && Date.now() - told.at < PROGRESS_MS) return;
        told = { phase, at: Date.now() };
        tell({ type: "progress", progress });
      },
    });
    return { type: "finished", answer };
  } catch (error) {
    if (signal.aborted) return { type: "stopped" };
    throw error;
  }
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

function problemIn(error: unknown): Problem | null {
  if (error instanceof UserError || error instanceof ImportRefused) {
    return { message: error.message, hint: error.hint };
  }
  if (error instanceof NoConnection) return NOT_CONNECTED;
  // A file that changed on the disk since it was chosen opens no more, nor does a folder.
  if (error instanceof DOMException && /^Not(?:Readable|Found)Error$/.test(error.name)) {
    return {
      message: "A chosen file cannot be read any more.",
      hint: "Choose the files again; a changed or moved file is another one to the browser.",
    };
  }
  return null;
}

function tell(message: FromReader): void {
  postMessage(message);
}
