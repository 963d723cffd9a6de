/** Stands in for `zod` in the Worker, with what is there of it both by itself and as one object. */
export * from "./zod-english.ts";
export * as z from "./zod-english.ts";
