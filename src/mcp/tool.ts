/** What a tool is: one literal, read from top to bottom in its own file under `tools/`. */
import type * as z from "zod";
import type { Scope } from "../scopes.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import type { ExportPlan } from "../transfer/export-job.ts";

/** Has the archive of an export written in the background. @param record writes the job down */
export type StartExport = (
  jobId: string,
  plan: ExportPlan,
  record: () => Promise<unknown>,
) => Promise<void>;

export interface ToolContext {
  readonly account: OpenAccount;
  readonly caller: Caller;
  /** The deployment's own address, for links. */
  readonly publicOrigin: string;
  /** What the client may do beyond this tool's own scope. */
  readonly scopes: readonly string[];
  readonly startExport: StartExport;
  /** Tells the clients that listen what was changed. Never fails: what was done is done. */
  readonly tellChanges: () => Promise<void>;
}

/** All of the tools, or the two that ChatGPT's deep research asks for. */
export type ToolSet = "all" | "chatgpt";

/** All four are required: missing hints are the most common reason why a client shows no tools. */
export interface ToolHints {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

export interface ToolAnswer {
  /** Keys as in the contract; unset fields left out. */
  readonly structured: Record<string, unknown>;
  /** A short rendering for clients that show text only. */
  readonly text: string;
}

export interface Tool<Input extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly title: string;
  /** What, when, when not, one example. Never what the schema says already. */
  readonly description: string;
  readonly input: Input;
  /** Other names that models guess for a parameter, not shown in the schema. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Top-level keys of the structured answer and their JSON types. */
  readonly output: Readonly<Record<string, "string" | "number" | "boolean" | "object" | "array">>;
  readonly annotations: ToolHints;
  readonly scope: Scope;
  /** A further scope that some arguments need. Gets them as sent. */
  readonly furtherScope?: (args: Readonly<Record<string, unknown>>) => Scope | null;
  run(input: z.output<Input>, context: ToolContext): Promise<ToolAnswer>;
}

/** Exists for inference. */
export function defineTool<Input extends z.ZodType>(tool: Tool<Input>): Tool<Input> {
  return tool;
}
