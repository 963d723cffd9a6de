import { CopyButton } from "../../states/copy-line.tsx";

/** Models reach for a memory more readily when they are told to. */
const PREFERENCE =
  "Before answering, search my memory (Cofio, `search_memory`) for what may matter. When I state a lasting fact, preference or decision, save it there.";

/** The sentence to be pasted into an assistant's instructions. @param label for the button's name: `the sentence` */
export function Preference({ label = "the sentence" }: { readonly label?: string }) {
  return (
    <div className="copy">
      <span className="preference">{PREFERENCE}</span>
      <CopyButton text={PREFERENCE} label={label} />
    </div>
  );
}
