import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { openUser } from "../user.ts";
import { runExport, type ExportJob } from "./run-export.ts";

export class ExportWorkflow extends WorkflowEntrypoint<Env, ExportJob> {
  override run({ payload }: Readonly<WorkflowEvent<ExportJob>>, step: WorkflowStep): Promise<void> {
    return runExport(
      payload,
      (name, work) => step.do(name, work),
      async () => {
        const account = await openUser(this.env, payload.userId);
        if (account === null) throw new Error("The account of an export is gone");
        return account;
      },
    );
  }
}
