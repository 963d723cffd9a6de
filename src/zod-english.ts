/**
 * What the Worker has of `zod`: not its translations, which nothing uses (50 KiB gzip). `agents` imports zod as one object, and of an
 * object the bundler can leave nothing out.
 */
export * from "../node_modules/zod/v4/classic/schemas.js";
export * from "../node_modules/zod/v4/classic/checks.js";
export * from "../node_modules/zod/v4/classic/errors.js";
export * from "../node_modules/zod/v4/classic/parse.js";
export * from "../node_modules/zod/v4/classic/compat.js";
export * as coerce from "../node_modules/zod/v4/classic/coerce.js";
export * as iso from "../node_modules/zod/v4/classic/iso.js";
export {
  clone,
  config,
  formatError,
  flattenError,
  globalRegistry,
  NEVER,
  prettifyError,
  registry,
  regexes,
  TimePrecision,
  toJSONSchema,
  treeifyError,
  util,
} from "zod/v4/core";
