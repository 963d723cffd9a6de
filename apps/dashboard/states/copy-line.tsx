import { Fragment, useState } from "react";

/** How long the button says that it was done. */
const SAID_MS = 2_000;

/** A line to be copied. @param label what it is, for the button's name: `the address` */
export function CopyLine({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div className="copy">
      <code>
        {text.split(" ").map((word, index) => (
          <Fragment key={index}>
            {index === 0 ? "" : " "}
            <span>{word}</span>
          </Fragment>
        ))}
      </code>
      <CopyButton text={text} label={label} />
    </div>
  );
}

export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SAID_MS);
  };
  return (
    <button type="button" aria-label={`Copy ${label}`} onClick={() => void copy()}>
      {isCopied ? "Copied" : "Copy"}
    </button>
  );
}
