import type { Importer } from "./importer.ts";

export function SurveyStep({ importer }: { readonly importer: Importer }) {
  return (
    <section class="card">
      <h1 tabindex={-1}>Reading your files</h1>
      <p>On this computer. A large export takes some seconds.</p>
      <progress aria-label="Reading" />
      <div class="actions">
        <button type="button" onClick={importer.restart}>
          Cancel
        </button>
      </div>
    </section>
  );
}
