/**
 * The Worker's module without its handler, for apps/dashboard, which reads it in place of `index.ts` (`moduleSuffixes` in its tsconfig.json):
 * the generated types of the bindings name that module, and the pages it leads to are written in Hono's JSX, not in React's.
 */
export { UserAgent } from "./user-agent.ts";
export { BackupWorkflow } from "./workflows/backup-workflow.ts";
export { ExportWorkflow } from "./workflows/export-workflow.ts";
export { ScratchDatabase } from "./workflows/scratch-database.ts";
