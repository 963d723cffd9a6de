import { defineConfig } from "drizzle-kit";

// Only `generate` is used: wrangler applies migrations, so drizzle-kit needs no credentials.
export default defineConfig({
  dialect: "sqlite",
  schema: "./src/storage/schema.ts",
  out: "./migrations",
});
