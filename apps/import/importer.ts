/** One import from the choice of files to the report: its steps, and what moves it from one to the next. Knows nothing of the page. */
import type { CheckAnswer, ImportAnswer } from "../../src/transfer/import-answer.ts";
import type { ImportProgress, Survey } from "../../src/transfer/send.ts";
import type { Problem } from "./call-api.ts";
import type { Choice, FromReader, ToReader } from "./messages.ts";

/** Files that were surveyed, and what is to be done with them. */
export interface Upload {
  readonly survey: Survey;
  readonly choice: Choice;
}

export type ImportStep =
  | { readonly name: "choose"; readonly problem: Problem | null }
  | { readonly name: "survey" }
  | { readonly name: "found"; readonly survey: Survey }
  | {
      readonly name: "run";
      readonly upload: Upload;
      /** Null: it has only just begun. */
      readonly progress: ImportProgress | null;
      /** The server does not answer for now. */
      readonly isDelayed: boolean;
      readonly isStopping: boolean;
    }
  | {
      readonly name: "stopped";
      readonly upload: Upload;
      /** Null: the person stopped it. */
      readonly problem: Problem | null;
    }
  | {
      readonly name: "report";
      readonly answer: ImportAnswer | CheckAnswer;
      /** Null: a pasted list. */
      readonly upload: Upload | null;
    };

export interface Importer {
  readonly step: () => ImportStep;
  /** @returns what ends it */
  readonly subscribe: (listener: () => void) => () => void;
  readonly choose: (files: readonly File[]) => void;
  /** The files surveyed last: for the first time, or again after a stop or a check. */
  readonly send: (upload: Upload) => void;
  readonly stop: () => void;
  /** Of a pasted list, which needs no reader. */
  readonly report: (answer: ImportAnswer) => void;
  /** Back to the choice of files, whatever is under way. */
  readonly restart: () => void;
}

const FAULT: Problem = {
  message: "The reading stopped because of a fault in this page.",
  hint: "What was sent is kept. Choose the same files again to go on; the browser's console says more.",
};

export function openImporter(startReader: () => Worker): Importer {
  const listeners = new Set<() => void>();
  let step: ImportStep = { name: "choose", problem: null };
  /** The survey stays in its memory, so that one Worker serves from the choice to the report. */
  let reader: Worker | null = null;

  function go(next: ImportStep): void {
    step = next;
    for (const listener of listeners) listener();
  }

  function tell(message: ToReader): void {
    reader ??= openReader();
    reader.postMessage(message);
  }

  function openReader(): Worker {
    const opened = startReader();
    opened.addEventListener("message", ({ data }: MessageEvent<FromReader>) => {
      // One that was given up may still have had something to say.
      if (opened === reader) hear(data);
    });
    opened.addEventListener("error", () => {
      if (opened === reader) fail(FAULT);
    });
    return opened;
  }

  function hear(message: FromReader): void {
    switch (message.type) {
      case "surveyed":
        go({ name: "found", survey: message.survey });
        break;
      case "progress":
        if (step.name === "run") go({ ...step, progress: message.progress, isDelayed: false });
        break;
      case "delayed":
        if (step.name === "run") go({ ...step, isDelayed: true });
        break;
      case "finished":
        if (step.name === "run") {
          go({ name: "report", answer: message.answer, upload: step.upload });
        }
        break;
      case "stopped":
        if (step.name === "run") go({ name: "stopped", upload: step.upload, problem: null });
        break;
      case "failed":
        fail(message.problem);
        break;
    }
  }

  function fail(problem: Problem): void {
    if (step.name === "run") {
      go({ name: "stopped", upload: step.upload, problem });
    } else {
      endReader();
      go({ name: "choose", problem });
    }
  }

  function endReader(): void {
    reader?.terminate();
    reader = null;
  }

  return {
    step: () => step,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    choose(files) {
      if (step.name !== "choose" || files.length === 0) return;
      go({ name: "survey" });
      tell({ type: "survey", files });
    },
    send(upload) {
      go({ name: "run", upload, progress: null, isDelayed: false, isStopping: false });
      tell({ type: "send", choice: upload.choice });
    },
    stop() {
      if (step.name !== "run") return;
      go({ ...step, isStopping: true });
      tell({ type: "stop" });
    },
    report(answer) {
      endReader();
      go({ name: "report", answer, upload: null });
    },
    restart() {
      endReader();
      go({ name: "choose", problem: null });
    },
  };
}
