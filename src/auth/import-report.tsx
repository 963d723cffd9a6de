/** What became of an import, and the form for a list of memories: shown by the server, and by the page's script where one runs. */
import { ITEM_KINDS, type ItemKind, type SkipReason } from "../transfer/records.ts";

/** Of an import's answer what is shown. */
export interface ShownReport {
  readonly items: {
    readonly by_kind: Readonly<Record<ItemKind, ShownCounts>>;
  };
  readonly skipped_reasons?:
    | readonly {
        readonly kind: string;
        readonly reason: SkipReason;
        readonly count: number;
        readonly examples: readonly string[];
      }[]
    | undefined;
  readonly rules?: readonly { readonly message: string }[] | undefined;
  readonly files: readonly ShownFile[];
  /** Beyond those. */
  readonly more_files?: number | undefined;
}

export interface ShownCounts {
  readonly found: number;
  readonly new: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly skipped: number;
}

export type ShownFile =
  | { readonly name: string; readonly format: string; readonly truncated?: boolean | undefined }
  | { readonly name: string; readonly not_read: string; readonly message: string };

/** The first is the sum of the others. */
const OUTCOMES = ["found", "new", "updated", "unchanged", "skipped"] as const;
/** An upload can hold thousands; the first ones tell what was chosen. Arbitrary. */
const MAX_FILES = 100;

export function ImportReport({ report }: { readonly report: ShownReport }) {
  const kinds = ITEM_KINDS.filter((kind) => report.items.by_kind[kind].found > 0);
  const { skipped_reasons = [], rules = [], files, more_files } = report;
  return (
    <>
      {kinds.length === 0 ? (
        <p class="empty">Nothing to import was found.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">
                <span class="sr-only">Outcome</span>
              </th>
              {kinds.map((kind) => (
                <th scope="col">{capitalised(PLURALS[kind])}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {OUTCOMES.map((outcome) => (
              <tr>
                <th scope="row">{capitalised(outcome)}</th>
                {kinds.map((kind) => (
                  <td>{inFigures(report.items.by_kind[kind][outcome])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {rules.length === 0 ? null : (
        <>
          <h2>What your rules did</h2>
          <ul class="report">
            {rules.map(({ message }) => (
              <li>{message}</li>
            ))}
          </ul>
        </>
      )}
      {skipped_reasons.length === 0 ? null : (
        <>
          <h2>What was skipped</h2>
          <ul class="report">
            {skipped_reasons.map(({ kind, reason, count, examples }) => (
              <li>
                {inFigures(count)} × {REASONS[reason]} ({kind})
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
      <FileList files={files} others={more_files} />
    </>
  );
}

export function FileList({
  files,
  others = 0,
}: {
  readonly files: readonly ShownFile[];
  readonly others?: number | undefined;
}) {
  const more = Math.max(0, files.length - MAX_FILES) + others;
  return (
    <ul class="report">
      {files.slice(0, MAX_FILES).map((file) => (
        <li>
          <bdi>{file.name}</bdi>: {fileText(file)}
        </li>
      ))}
      {more > 0 ? <li>and {inFigures(more)} more</li> : null}
    </ul>
  );
}

/** @param onSubmit of the page's script; without one the form is posted */
export function ListForm({
  onSubmit,
  isBusy = false,
}: {
  readonly onSubmit?: (event: Event) => void;
  readonly isBusy?: boolean;
}) {
  return (
    <form method="post" action="/import" {...(onSubmit === undefined ? {} : { onSubmit })}>
      <label>
        Your list
        <textarea name="list" rows={6} required placeholder="- Prefers metric units" />
        <small>
          What an assistant printed when you asked what it knows about you: a memory a line, with or
          without bullets, numbers and dates.
        </small>
      </label>
      <button disabled={isBusy}>Import list</button>
    </form>
  );
}

/** With the separators of thousands that the pages' language has. */
export function inFigures(count: number): string {
  return FIGURES.format(count);
}

export function pluralOf(kind: ItemKind, count: number): string {
  return count === 1 ? kind : PLURALS[kind];
}

function fileText(file: ShownFile): string {
  if (!("format" in file)) return `not read. ${file.message}`;
  return file.truncated === true
    ? `${file.format}. It ends in the middle: what comes before is read.`
    : file.format;
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

const FIGURES = new Intl.NumberFormat("en");

const PLURALS: Readonly<Record<ItemKind, string>> = {
  conversation: "conversations",
  message: "messages",
  memory: "memories",
};

const REASONS: Readonly<Record<SkipReason, string>> = {
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
  limit_reached: "beyond the number of memories that your rules allow",
  blocked_tag: "with a tag that your rules block",
  secret: "with a secret in it, which your rules refuse",
  truncated_file: "cut off at the end of a file",
};
