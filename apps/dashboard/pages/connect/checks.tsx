import type { HandshakeStep } from "../../../../src/handshake.ts";
import { person } from "../../person.ts";
import { AskIt, FreshAddress, HandedBack, PathsLetThrough, SameAddress } from "./advice.tsx";
import { EdgeSettings } from "./edge-settings.tsx";
import { isOnCloudflareDomain, isOnThisComputer } from "./reach.ts";

/** What to check when a step does not come, the most frequent first. */
export function Checks({ missing }: { readonly missing: HandshakeStep }) {
  return (
    <section className="checks" aria-label="What to check" data-missing={missing}>
      <Check missing={missing} />
    </section>
  );
}

function Check({ missing }: { readonly missing: HandshakeStep }) {
  switch (missing) {
    case "metadata_read":
      return (
        <>
          <p>
            <strong>That is fine while you are still setting one up.</strong> If an app has the
            address and reports an error:
          </p>
          <ul>
            {isOnThisComputer(person.mcpUrl) ? (
              <li>
                This server runs on your own computer. Apps there reach it; claude.ai, ChatGPT and
                others on the internet cannot.
              </li>
            ) : null}
            <SameAddress />
            <PathsLetThrough />
          </ul>
        </>
      );
    case "registered":
      return (
        <>
          <p>
            <strong>An app found this server, and went no further.</strong>
          </p>
          <ul>
            <li>
              Look at the app: many wait until you press “Connect”, “Sign in” or “Authenticate”.
            </li>
            <SameAddress />
            <PathsLetThrough />
          </ul>
        </>
      );
    case "consent_shown":
      return (
        <>
          <p>
            <strong>No page has asked you yet.</strong>
          </p>
          <ul>
            <li>The app opens it in your browser: look for a new tab, or a blocked window.</li>
            <li>
              It may be another browser. Sign in there as <bdi>{person.name}</bdi> too.
            </li>
            <li>Nothing there? Start again from the app.</li>
          </ul>
        </>
      );
    case "authorised":
      return (
        <>
          <p>
            <strong>It waits for you.</strong>
          </p>
          <ul>
            <li>
              A page in your browser asks whether it may use your memory: answer with “Allow”.
            </li>
            <li>You closed the page, or denied it? Start again from the app.</li>
          </ul>
        </>
      );
    case "token_issued":
      return (
        <>
          <p>
            <strong>You allowed it, and the app does not know.</strong>
          </p>
          <HandedBack />
        </>
      );
    case "reached":
      return <NotBack />;
    case "first_call":
      return (
        <>
          <p>
            <strong>The connection works; no tool was used yet.</strong>
          </p>
          <ul>
            <AskIt />
            <li>
              Still none? <FreshAddress />
            </li>
          </ul>
        </>
      );
  }
}

/** It has its key, so whatever turns it away stands before this server, or in the app. */
function NotBack() {
  const isOwnDomain = !isOnThisComputer(person.mcpUrl) && !isOnCloudflareDomain(person.mcpUrl);
  return (
    <>
      <p>
        <strong>It has its key, and does not come in.</strong>
        {isOwnDomain
          ? " On a domain of your own, Cloudflare may turn it away before this server sees it. Look at two settings of the domain:"
          : null}
      </p>
      {isOwnDomain ? <EdgeSettings /> : null}
      <ul>
        <li>Start the app again, or reconnect: some look for a server only when they start.</li>
        <li>
          It may remember an earlier failure. <FreshAddress />
        </li>
      </ul>
    </>
  );
}
