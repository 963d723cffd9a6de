/** `npm run bench -- everyday|export|import|retrieval|tenants|scale`: measures the product on this machine, offline, and leaves nothing behind. */
import { measureEveryday } from "./everyday/everyday.ts";
import { measureExport } from "./export/export.ts";
import { measureImport } from "./import/import.ts";
import { measureRetrieval } from "./retrieval/retrieval.ts";
import { measureScale } from "./scale/scale.ts";
import { measureTenants } from "./tenants/tenants.ts";

const USAGE = `Use one of:
  npm run bench -- everyday
  npm run bench -- import [--json FILE]
  npm run bench -- retrieval [--data FILE] [--json FILE]
  npm run bench -- tenants [--json FILE]
  npm run bench -- scale [--million] [--json FILE]
  npm run bench -- export [--memories N] [--messages N] [--json FILE]`;

const [name, ...args] = process.argv.slice(2);
// What a benchmark started is ended by listeners of "exit", which a signal alone would not run.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => process.exit(130));
}

switch (name) {
  case "everyday":
    await measureEveryday();
    break;
  case "import":
    await measureImport(args);
    break;
  case "retrieval":
    await measureRetrieval(args);
    break;
  case "tenants":
    await measureTenants(args);
    break;
  case "scale":
    await measureScale(args);
    break;
  case "export":
    await measureExport(args);
    break;
  default:
    console.error(USAGE);
    process.exitCode = 1;
}
