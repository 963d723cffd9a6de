/**
 * Imports without a script: the forms for files and for a list of memories, which the dashboard's document holds at `/import`, and the page
 * that answers them. Where scripts run there is a page of `apps/dashboard` instead.
 */
import { Hono } from "hono";
import * as z from "zod";
import type { ShownReport } from "../transfer/import-words.ts";
import { ITEM_KINDS, SKIP_REASONS } from "../transfer/records.ts";
import type { PageContext, PageEnv } from "./bindings.ts";
import { readForm } from "./form.ts";
import { ImportReport } from "./import-report.tsx";
import { Layout, Notice } from "./layout.tsx";
import { findPerson, type Person } from "./session.ts";

const counts = z.object({
  found: z.number(),
  new: z.number(),
  updated: z.number(),
  unchanged: z.number(),
  skipped: z.number(),
});
/** What `/api/imports` answers, as far as the page shows it. */
const answerSchema = z.union([
  z.object({
    items: z.object({
      by_kind: z.object({ conversation: counts, message: counts, memory: counts }),
    }),
    skipped_reasons: z
      .array(
        z.object({
          kind: z.enum(ITEM_KINDS),
          reason: z.enum(SKIP_REASONS),
          count: z.number(),
          examples: z.array(z.string()),
        }),
      )
      .optional(),
    rules: z.array(z.object({ message: z.string() })).optional(),
    files: z.array(
      z.union([
        z.object({ name: z.string(), format: z.string(), truncated: z.boolean().optional() }),
        z.object({ name: z.string(), not_read: z.string(), message: z.string() }),
      ]),
    ),
  }),
  z.object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      hint: z.string().default(""),
      partial: z.boolean().default(false),
    }),
  }),
]);

export const importPages = new Hono<PageEnv>().post("/import", async (c) => {
  const person = await findPerson(c);
  if (person === null) return c.redirect("/sign-in?next=%2Fimport", 303);
  const upload = await uploadOf(c);
  const response = await c.env.USERS.getByName(person.id).serveApi(upload, null);
  const answer = answerSchema.parse(await response.json());
  if ("error" in answer && (answer.error.code === "internal" || answer.error.partial)) {
    return c.html(
      <Notice title="The import stopped" person={person}>
        <p>{answer.error.message}</p>
        <p>{answer.error.hint}</p>
        <p>
          A part of it may be there. Import the same files again: what is there already is left
          alone.
        </p>
        <BackToImport />
      </Notice>,
      500,
    );
  }
  if ("error" in answer) {
    return c.html(
      <Notice title="Nothing was imported" person={person}>
        <p>{answer.error.message}</p>
        <p>{answer.error.hint}</p>
        <BackToImport />
      </Notice>,
      400,
    );
  }
  return c.html(<ReportPage person={person} report={answer} />);
});

/** A posted list is sent on as the text it is, and files as they came. */
async function uploadOf(c: PageContext): Promise<Request> {
  const type = c.req.header("content-type") ?? "";
  if (!type.startsWith("application/x-www-form-urlencoded")) {
    return new Request(new URL("/api/imports", c.req.url), c.req.raw);
  }
  const body = (await readForm(c.req.raw)).value("list");
  return new Request(new URL("/api/imports?as=list", c.req.url), { method: "POST", body });
}

export function ImportForms() {
  return (
    <>
      <section class="card">
        <h1>Import</h1>
        <p>
          Choose the files of an export, as zips or one by one: of ChatGPT, Claude, Gemini,
          DeepSeek, Grok, Kimi or Open WebUI, of a coding agent, of another memory tool, or of
          Cofio. Importing the same file twice changes nothing.
        </p>
        <form method="post" action="/import" enctype="multipart/form-data">
          <label>
            Files
            <input type="file" name="files" multiple required />
            <small>
              At most 25 MiB at once. With JavaScript this page takes files of any size, and shows
              what is in them before it sends anything.
            </small>
          </label>
          <button class="primary">Import</button>
        </form>
      </section>
      <section class="card">
        <h2>Paste a list of memories</h2>
        <form method="post" action="/import">
          <label>
            Your list
            <textarea name="list" rows={6} required placeholder="- Prefers metric units" />
            <small>
              What an assistant printed when you asked what it knows about you: a memory a line,
              with or without bullets, numbers and dates.
            </small>
          </label>
          <button>Import list</button>
        </form>
      </section>
      <p class="aside">
        <a href="/account">Back to your page</a>
      </p>
    </>
  );
}

function ReportPage({ person, report }: { readonly person: Person; readonly report: ShownReport }) {
  return (
    <Layout title="Imported" person={person}>
      <section class="card">
        <h1>Imported</h1>
        <ImportReport report={report} />
        <BackToImport />
      </section>
    </Layout>
  );
}

function BackToImport() {
  return (
    <p class="aside">
      <a href="/import">Import more</a> · <a href="/account">Back to your page</a>
    </p>
  );
}
