/** `npm run bench -- NAME`: measures the product on this machine, offline, and leaves nothing behind. */
import { measureBudget } from "./budget/budget.ts";
import { measureDashboard } from "./dashboard/dashboard.ts";
import { measureEveryday } from "./everyday/everyday.ts";
import { measureExport } from "./export/export.ts";
import { measureFloor } from "./floor/floor.ts";
import { measureImport } from "./import/import.ts";
import { measureLighthouse } from "./lighthouse/lighthouse.ts";
import { measureLoad } from "./load/load.ts";
import { measurePeers } from "./peers/peers.ts";
import { measureProgram } from "./program/program.ts";
import { measureRetrieval } from "./retrieval/retrieval.ts";
import { measureScale } from "./scale/scale.ts";
import { measureTenants } from "./tenants/tenants.ts";

const USAGE = `Use one of:
  npm run bench -- budget [--memories 10000] [--calls 1000] [--json FILE]
  npm run bench -- dashboard [--search N] [--scroll N] [--json FILE]
  npm run bench -- everyday
  npm run bench -- floor [--sizes 10000] [--json FILE]
  npm run bench -- import [--json FILE]
  npm run bench -- lighthouse [--runs N] [--json FILE]
  npm run bench -- load [--minutes 5] [--users 200] [--json FILE]
  npm run bench -- peers [--sizes 100,1000,10000,100000] [--only NAME] [--json FILE]
  npm run bench -- program [--runs 7] [--json FILE]
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
  case "budget":
    await measureBudget(args);
    break;
  case "dashboard":
    await measureDashboard(args);
    break;
  case "floor":
    await measureFloor(args);
    break;
  case "lighthouse":
    await measureLighthouse(args);
    break;
  case "everyday":
    await measureEveryday();
    break;
  case "import":
    await measureImport(args);
    break;
  case "load":
    await measureLoad(args);
    break;
  case "peers":
    await measurePeers(args);
    break;
  case "program":
    await measureProgram(args);
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
