import { useEffect, useId, useRef, type ReactNode } from "react";
import { CopyLine } from "../states/copy-line.tsx";

/** A secret that nobody can show again: it stays until the person says that they have it. */
export function ShownOnce({
  title,
  text,
  label,
  file,
  done,
  children,
}: {
  readonly title: string;
  readonly text: string;
  /** What it is, for the button's name: `the token`. */
  readonly label: string;
  /** To be kept as a file. */
  readonly file?: { readonly name: string; readonly text: string };
  readonly done: () => void;
  /** What it is good for, and who must not have it. */
  readonly children: ReactNode;
}) {
  const id = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, []);
  return (
    <section className="card shown-once" aria-labelledby={id}>
      <h2 id={id} ref={heading} tabIndex={-1}>
        {title}
      </h2>
      {children}
      <CopyLine text={text} label={label} />
      <div className="actions">
        <button type="button" className="primary" onClick={done}>
          I have kept it
        </button>
        {file === undefined ? null : (
          <button type="button" onClick={() => download(file)}>
            Download as a file
          </button>
        )}
      </div>
    </section>
  );
}

function download({ name, text }: { readonly name: string; readonly text: string }): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
