import { Fragment } from "react";
import { Link } from "../../shell/router.tsx";
import { CopyButton, CopyLine } from "../../states/copy-line.tsx";
import { monthText } from "../../words/amounts.ts";
import type { Client, Trial, Way } from "./clients.ts";
import { isOnThisComputer } from "./reach.ts";

/** One app: its name and how it is connected, and opened every way, what comes after it and what is good to know. */
export function ClientRow({
  client,
  url,
  isOpen,
}: {
  readonly client: Client;
  readonly url: string;
  /** From the beginning; the person opens and closes it as they like. */
  readonly isOpen: boolean;
}) {
  const { id, name, ways, next, notes = [], isRemote = false, checked, tried } = client;
  const isOutOfReach = isRemote && isOnThisComputer(url);
  return (
    <details className="client" data-client={id} open={isOpen}>
      <summary>
        <h3>{name}</h3>
        <small className={isOutOfReach ? "mark" : undefined}>
          {isOutOfReach ? "from the internet" : HOW[ways[0].kind]}
        </small>
      </summary>
      <div className="client-body">
        <div className="ways">
          {ways.map((way, index) => (
            <WayText key={index} way={way} of={name} isFirst={index === 0} />
          ))}
        </div>
        <div className="client-words">
          <p>
            <strong>Then:</strong> {next}
          </p>
          {notes.length === 0 ? null : (
            <ul>
              {notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          )}
          <p className="hint">
            Checked in {monthText(checked)}. Menus may have moved since.
            {tried === undefined
              ? null
              : ` Version ${tried.version} ${WENT[tried.went]}, tried on ${tried.on}.`}
          </p>
        </div>
      </div>
    </details>
  );
}

const WENT: Readonly<Record<Trial["went"], string>> = {
  connected: "connected to Cofio",
  read: "accepted these settings",
};

/** How much work its best way is. */
const HOW: Readonly<Record<Way["kind"], string>> = {
  link: "a button",
  menu: "in its menus",
  command: "one line",
  file: "a file",
};

function WayText({
  way,
  of,
  isFirst,
}: {
  readonly way: Way;
  readonly of: string;
  readonly isFirst: boolean;
}) {
  const when = way.when ?? (isFirst ? null : "Or");
  return (
    <div className="way">
      {when === null ? null : <p className="way-when">{when}:</p>}
      <WayItself way={way} of={of} isFirst={isFirst} />
      {way.needsToken === true ? (
        <p className="hint">
          For <code>TOKEN</code> put a personal access token: make one in{" "}
          <Link to="/apps">Connected apps</Link>.
        </p>
      ) : null}
    </div>
  );
}

function WayItself({
  way,
  of,
  isFirst,
}: {
  readonly way: Way;
  readonly of: string;
  readonly isFirst: boolean;
}) {
  switch (way.kind) {
    case "link":
      return (
        <a
          className={isFirst ? "button primary" : "button"}
          href={way.href}
          target="_blank"
          rel="noopener noreferrer"
        >
          {way.name}
        </a>
      );
    case "menu":
      return (
        <p className="menu-path">
          {way.steps.map((step, index) => (
            <Fragment key={step}>
              {index === 0 ? null : <span aria-hidden="true"> → </span>}
              <span>{step}</span>
            </Fragment>
          ))}
        </p>
      );
    case "command":
      return <CopyLine text={way.text} label={`the line for ${of}`} />;
    case "file":
      return (
        <figure className="file">
          <figcaption>
            <span>{way.path}</span>
            <CopyButton text={way.text} label={`the text for ${of}`} />
          </figcaption>
          <pre>
            <code>{way.text}</code>
          </pre>
        </figure>
      );
  }
}
