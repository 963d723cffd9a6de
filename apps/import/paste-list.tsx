import { useState } from "hono/jsx/dom";
import { ListForm } from "../../src/auth/import-report.tsx";
import type { ImportAnswer } from "../../src/transfer/import-answer.ts";
import { callApi, NoConnection, NOT_CONNECTED, problemOf, type Problem } from "./call-api.ts";
import type { Importer } from "./importer.ts";
import { ProblemAlert } from "./problem-alert.tsx";

export function PasteList({ importer }: { readonly importer: Importer }) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const importNow = async (list: string) => {
    setBusy(true);
    setProblem(null);
    const answer = await importList(list);
    if ("job" in answer) return importer.report(answer);
    setProblem(answer);
    setBusy(false);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const list = new FormData(event.currentTarget).get("list");
    if (typeof list === "string") void importNow(list);
  };
  return (
    <section class="card">
      <h2>Paste a list of memories</h2>
      <ListForm onSubmit={submit} isBusy={isBusy} />
      <ProblemAlert problem={problem} />
    </section>
  );
}

async function importList(list: string): Promise<ImportAnswer | Problem> {
  try {
    const answer = await callApi("POST", "/imports?as=list", list);
    // What this server answers to it with 200.
    return answer.status === 200 ? (answer.body as ImportAnswer) : problemOf(answer);
  } catch (error) {
    if (error instanceof NoConnection) return NOT_CONNECTED;
    throw error;
  }
}
