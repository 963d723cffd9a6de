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
  const [said, setSaid] = useState<"" | "Copied" | "Not copied">("");
  const copy = async () => {
    // Refused where the browser or the person forbids it: the text is there to be chosen.
    const isCopied = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    setSaid(isCopied ? "Copied" : "Not copied");
    setTimeout(() => setSaid(""), SAID_MS);
  };
  return (
    <>
      <button
        type="button"
        aria-label={`${said === "" ? "Copy" : said} ${label}`}
        onClick={() => void copy()}
      >
        {said === "" ? "Copy" : said}
      </button>
      <span role="status" className="sr-only">
        {said}
      </span>
    </>
  );
}
