/** What a page and its Web Worker say to each other. */
import type { CheckAnswer, ImportAnswer } from "../../src/transfer/import-answer.ts";
import type { ItemCounts } from "../../src/transfer/read.ts";
import type { ImportProgress, Survey } from "../../src/transfer/send.ts";

/** What went wrong, and what the person can do about it. */
export interface ReaderProblem {
  /** As the API names it. */
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** What the person decides about files whose survey they have seen. */
export interface Choice {
  /** Compare and report, and write nothing. */
  readonly dryRun: boolean;
  /** The platform's account to import; null: all. */
  readonly account: string | null;
}

export type ToReader =
  | { readonly type: "survey"; readonly files: readonly File[] }
  /** Of the files surveyed last. */
  | { readonly type: "send"; readonly choice: Choice }
  | { readonly type: "stop" }
  /** Whether the computer has a network: without one nothing is asked. */
  | { readonly type: "network"; readonly isThere: boolean };

export type FromReader =
  | { readonly type: "surveying"; readonly found: ItemCounts }
  | { readonly type: "surveyed"; readonly survey: Survey }
  | { readonly type: "progress"; readonly progress: ImportProgress }
  /** The server does not answer, and is asked again. */
  | { readonly type: "delayed" }
  | { readonly type: "finished"; readonly answer: ImportAnswer | CheckAnswer }
  | { readonly type: "stopped" }
  | { readonly type: "failed"; readonly problem: ReaderProblem };
