import { person } from "../../person.ts";
import "../../styles/connect.css";
import { Icon } from "../../shell/icon.tsx";
import { Card, Page as Frame } from "../../shell/page.tsx";
import { CopyLine } from "../../states/copy-line.tsx";
import { Clients } from "./clients.tsx";
import { Examination } from "./examination.tsx";
import { HandshakeCard } from "./handshake.tsx";
import { Preference } from "./preference.tsx";
import { isOnThisComputer } from "./reach.ts";
import { Troubles } from "./troubles.tsx";

/** How assistants are led to this server, and what to check when one does not arrive. */
export function Page() {
  return (
    <Frame
      title="Connect"
      lead="Give an assistant this server's address, allow it once, and it shares your memory with the others."
    >
      {isOnThisComputer(person.mcpUrl) ? <LocalNote /> : null}
      <div className="columns-even connect-first">
        <Card title="The address">
          <p>Every app below asks for it, or gets it from its button.</p>
          <CopyLine text={person.mcpUrl} label="the address" />
          <p className="hint">
            Exactly so, with <code>/mcp</code> and without a slash at the end. Nobody gets in with
            it: each app has to be allowed by you, on a page of this server.
          </p>
        </Card>
        <Card title="A sentence for your assistants">
          <p>
            Assistants use a memory more often when told so. Paste this into Claude’s preferences,
            ChatGPT’s instructions, <code>CLAUDE.md</code> or Cursor’s rules:
          </p>
          <Preference />
        </Card>
      </div>
      <div className="connect-columns">
        <HandshakeCard />
        <Clients url={person.mcpUrl} />
      </div>
      <Troubles />
      <Examination />
    </Frame>
  );
}

function LocalNote() {
  return (
    <p className="banner">
      <Icon name="alert" />
      <span>
        This server runs on your own computer. Apps there can use it; those marked “from the
        internet” cannot reach it.
      </span>
    </p>
  );
}
