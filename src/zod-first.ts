// better-auth reaches zod through a dynamic import, so the bundler would initialise zod lazily, after the MCP library's
// schemas were built from it ("ZodLazy is not a constructor" at start-up). Imported first, this makes it eager.
import * as z from "zod";

z.config();
