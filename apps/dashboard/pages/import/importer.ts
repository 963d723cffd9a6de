/** One import from the choice of files to the report: its steps, and what moves it from one to the next. Knows nothing of the page. */
import type { ShownReport } from "../../../../src/transfer/import-words.ts";
import type { ItemCounts } from "../../../../src/transfer/read.ts";
import type { ImportProgress, Survey } from "../../../../src/transfer/send.ts";
import type { Choice, FromReader, ReaderProblem, ToReader } from "../../../import/messages.ts";
import { withSample, type Sample } from "./pace.ts";

/** Files that were surveyed, and what is to be done with them. */
export interface Upload {
  readonly survey: Survey;
  readonly choice: Choice;
}

export type ImportStep =
  | {
      readonly name: "choose";
      /** With files. */
      readonly problem: ReaderProblem | null;
      /** With the pasted list. */
      readonly listProblem: ReaderProblem | null;
    }
  /** A pasted list is on its way, which needs no reader. */
  | { readonly name: "list"; readonly dryRun: boolean }
  | {
      readonly name: "survey";
      /** Null: it has only just begun. */
      readonly found: ItemCounts | null;
    }
  | { readonly name: "found"; readonly survey: Survey }
  | {
      readonly name: "run";
      readonly upload: Upload;
      /** Null: it has only just begun. */
      readonly progress: ImportProgress | null;
      /** Of the last seconds. */
      readonly samples: readonly Sample[];
      /** What it waits for: the server does not answer for now, or the computer has no network. Null: nothing. */
      readonly awaits: "server" | "network" | null;
      readonly isStopping: boolean;
    }
  | {
      readonly name: "stopped";
      readonly upload: Upload;
      /** Null: the person stopped it. */
      readonly problem: ReaderProblem | null;
    }
  | {
      readonly name: "report";
      readonly report: ShownReport;
      /** Null: nothing was changed, so there is nothing to undo. */
      readonly operationId: string | null;
      /** Of a check: what it was made of, to be imported. */
      readonly checked: Upload | PastedList | null;
    };

export interface PastedList {
  readonly list: string;
}

export interface Importer {
  readonly step: () => ImportStep;
  /** @returns what ends it */
  readonly subscribe: (listener: () => void) => () => void;
  readonly choose: (files: readonly File[]) => void;
  /** Of files that were dropped and cannot be read. */
  readonly refuse: () => void;
  /** The files surveyed last: for the first time, or again after a stop or a check. */
  readonly send: (upload: Upload) => void;
  readonly stop: () => void;
  /** What was pasted, until it was imported: kept while other steps and other pages are shown. */
  readonly list: () => string;
  readonly keepList: (list: string) => void;
  readonly sendList: (list: string, options: { readonly dryRun: boolean }) => void;
  /** Imports that this page was at work on. */
  readonly ownJobs: () => ReadonlySet<string>;
  readonly setNetwork: (isThere: boolean) => void;
  /** Back to the choice of files, whatever is under way. */
  readonly restart: () => void;
}

/** @returns what became of it, or why nothing did */
export type SendList = (
  list: string,
  options: { readonly dryRun: boolean },
) => Promise<ImportAnswer | { readonly problem: ReaderProblem }>;

/** Of an import's answer, or a check's, what is used here. */
export type ImportAnswer = ShownReport & { readonly operation_id?: string | undefined };

const FAULT: ReaderProblem = {
  code: "fault",
  message: "The reading stopped because of a fault in this page.",
  hint: "What was sent is kept. Choose the same files again to go on; the browser's console says more.",
};

const UNREADABLE: ReaderProblem = {
  code: "unreadable",
  message: "What was dropped cannot be read.",
  hint: "Choose the files with the button instead.",
};

const ABSENT_NETWORK: ToReader = { type: "network", isThere: false };

const START: Extract<ImportStep, { name: "choose" }> = {
  name: "choose",
  problem: null,
  listProblem: null,
};

/** The Web Worker, as it is used here. */
export interface Reader {
  postMessage(message: ToReader): void;
  addEventListener(type: "message", hear: (event: { readonly data: FromReader }) => void): void;
  addEventListener(type: "error", hear: () => void): void;
  terminate(): void;
}

export function openImporter(startReader: () => Reader, sendList: SendList): Importer {
  const listeners = new Set<() => void>();
  const ownJobs = new Set<string>();
  let step: ImportStep = START;
  let list = "";
  /** The survey stays in its memory, so that one Worker serves from the choice to the report. */
  let reader: Reader | null = null;
  let hasNetwork = true;

  function go(next: ImportStep): void {
    step = next;
    for (const listener of listeners) listener();
  }

  function tell(message: ToReader): void {
    if (reader === null) {
      reader = openReader();
      if (!hasNetwork) reader.postMessage(ABSENT_NETWORK);
    }
    reader.postMessage(message);
  }

  function openReader(): Reader {
    const opened = startReader();
    opened.addEventListener("message", ({ data }) => {
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
      case "surveying":
        if (step.name === "survey") go({ name: "survey", found: message.found });
        break;
      case "surveyed":
        go({ name: "found", survey: message.survey });
        break;
      case "progress":
        if (step.name === "run") {
          const { progress } = message;
          const samples = withSample(step.samples, { at: Date.now(), done: progress.done });
          if (progress.jobId !== null) ownJobs.add(progress.jobId);
          go({ ...step, progress, samples, awaits: null });
        }
        break;
      case "delayed":
        if (step.name === "run") go({ ...step, awaits: "server" });
        break;
      case "finished":
        if (step.name === "run") {
          goToReport(message.answer, step.upload.choice.dryRun ? step.upload : null);
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

  function goToReport(answer: ImportAnswer, checked: Upload | PastedList | null): void {
    go({ name: "report", report: answer, operationId: answer.operation_id ?? null, checked });
  }

  function fail(problem: ReaderProblem): void {
    if (step.name === "run") {
      go({ name: "stopped", upload: step.upload, problem });
    } else {
      endReader();
      go({ ...START, problem });
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
      if (!isBetween(step) || files.length === 0) return;
      endReader();
      go({ name: "survey", found: null });
      tell({ type: "survey", files });
    },
    refuse() {
      if (isBetween(step)) go({ ...START, problem: UNREADABLE });
    },
    send(upload) {
      go({
        name: "run",
        upload,
        progress: null,
        samples: [],
        awaits: hasNetwork ? null : "network",
        isStopping: false,
      });
      tell({ type: "send", choice: upload.choice });
    },
    stop() {
      if (step.name !== "run") return;
      go({ ...step, isStopping: true });
      tell({ type: "stop" });
    },
    list: () => list,
    keepList(text) {
      list = text;
    },
    sendList(text, { dryRun }) {
      if (!isBetween(step)) return;
      list = text;
      endReader();
      go({ name: "list", dryRun });
      void sendList(text, { dryRun }).then((answer) => {
        if ("problem" in answer) return go({ ...START, listProblem: answer.problem });
        if (!dryRun) list = "";
        goToReport(answer, dryRun ? { list: text } : null);
      });
    },
    ownJobs: () => ownJobs,
    setNetwork(isThere) {
      hasNetwork = isThere;
      reader?.postMessage({ type: "network", isThere } satisfies ToReader);
      if (step.name !== "run") return;
      if (!isThere) go({ ...step, awaits: "network" });
      // Whether the server answers the reader says anew.
      else if (step.awaits === "network") go({ ...step, awaits: null });
    },
    restart() {
      endReader();
      go(START);
    },
  };
}

/** Whether another import may begin: nothing is under way that it would end. */
export function isBetween({ name }: ImportStep): boolean {
  return name === "choose" || name === "report";
}
