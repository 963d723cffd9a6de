/** `/import`: a form for the files of an export, and the report of what became of them. */
import { Hono } from "hono";
import * as z from "zod";
import type { PageEnv } from "./bindings.ts";
import { BackHome, Layout, Notice } from "./layout.tsx";
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
          kind: z.string(),
          reason: z.string(),
          count: z.number(),
          examples: z.array(z.string()),
        }),
      )
      .default([]),
    files: z.array(
      z.union([
        z.object({ name: z.string(), format: z.string() }),
        z.object({ name: z.string(), not_read: z.string(), message: z.string() }),
      ]),
    ),
  }),
  z.object({
    error: z.object({ code: z.string(), message: z.string(), hint: z.string().default("") }),
  }),
]);
type Report = Exclude<z.infer<typeof answerSchema>, { error: unknown }>;

export const importPages = new Hono<PageEnv>()
  .get("/import", async (c) => {
    const person = await findPerson(c);
    if (person === null) return c.redirect("/sign-in?next=%2Fimport", 302);
    return c.html(<ImportPage person={person} />);
  })
  .post("/import", async (c) => {
    const person = await findPerson(c);
    if (person === null) return c.redirect("/sign-in?next=%2Fimport", 303);
    const upload = new Request(new URL("/api/imports", c.req.url), c.req.raw);
    const response = await c.env.USERS.getByName(person.id).serveApi(upload, null);
    const answer = answerSchema.parse(await response.json());
    if ("error" in answer && answer.error.code === "internal") {
      return c.html(
        <Notice title="The import stopped" person={person}>
          <p>{answer.error.message}</p>
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

function ImportPage({ person }: { readonly person: Person }) {
  return (
    <Layout title="Import" person={person}>
      <section class="card narrow">
        <h1>Import</h1>
        <p>
          Choose the files of an export, as zips or one by one: of ChatGPT, Claude, Gemini,
          DeepSeek, Grok, Kimi or Open WebUI, of a coding agent, of another memory tool, or of
          Cofio; at most 25 MiB at once. Importing the same file twice changes nothing.
        </p>
        <form method="post" action="/import" enctype="multipart/form-data">
          <label>
            Files
            <input type="file" name="files" multiple required />
          </label>
          <button class="primary">Import</button>
        </form>
        <BackHome />
      </section>
    </Layout>
  );
}

function ReportPage({ person, report }: { readonly person: Person; readonly report: Report }) {
  const kinds = Object.entries(report.items.by_kind).filter(([, { found }]) => found > 0);
  return (
    <Layout title="Imported" person={person}>
      <section class="card">
        <h1>Imported</h1>
        <table>
          <thead>
            <tr>
              <th scope="col">
                <span class="sr-only">Kind</span>
              </th>
              <th scope="col">Found</th>
              <th scope="col">New</th>
              <th scope="col">Updated</th>
              <th scope="col">Unchanged</th>
              <th scope="col">Skipped</th>
            </tr>
          </thead>
          <tbody>
            {kinds.map(([kind, count]) => (
              <tr>
                <th scope="row">{KINDS[kind] ?? kind}</th>
                <td>{count.found}</td>
                <td>{count.new}</td>
                <td>{count.updated}</td>
                <td>{count.unchanged}</td>
                <td>{count.skipped}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {report.skipped_reasons.length === 0 ? null : (
          <>
            <h2>What was skipped</h2>
            <ul class="report">
              {report.skipped_reasons.map(({ kind, reason, count, examples }) => (
                <li>
                  {count} × {REASONS[reason] ?? reason} ({kind})
                  {examples.length === 0 ? null : (
                    <>
                      {": "}
                      <bdi>{examples.join(" · ")}</bdi>
                    </>
                  )}
                </li>
              ))}
            </ul>
          </>
        )}
        <h2>Files</h2>
        <ul class="report">
          {report.files.map((file) => (
            <li>
              <bdi>{file.name}</bdi>: {"format" in file ? file.format : `not read. ${file.message}`}
            </li>
          ))}
        </ul>
        <BackToImport />
      </section>
    </Layout>
  );
}

function BackToImport() {
  return (
    <p class="aside">
      <a href="/import">Import more</a> · <a href="/">Back to your page</a>
    </p>
  );
}

const KINDS: Readonly<Record<string, string>> = {
  conversation: "Conversations",
  message: "Messages",
  memory: "Memories",
};

const REASONS: Readonly<Record<string, string>> = {
  hidden: "hidden by the platform",
  system: "system texts",
  tool: "calls and results of tools",
  reasoning: "reasoning of the model",
  other_branch: "on a branch that was not chosen",
  empty: "empty",
  media_only: "only pictures or sound",
  unreadable: "damaged",
  unsupported: "of a kind that Cofio does not know",
  duplicate_in_file: "twice in the files",
  other_account: "of another account",
  not_selected: "marked as not to be remembered",
  trashed: "in your trash",
  too_large: "too large",
  quota: "over the limit",
  truncated_file: "cut off at the end of a file",
};
