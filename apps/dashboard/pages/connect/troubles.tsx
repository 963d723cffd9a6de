import type { ReactNode } from "react";
import { Card } from "../../shell/page.tsx";
import { Link } from "../../shell/router.tsx";
import { person } from "../../person.ts";
import { CopyLine } from "../../states/copy-line.tsx";
import { AskIt, FreshAddress, HandedBack, PathsLetThrough, SameAddress } from "./advice.tsx";
import { EdgeSettings } from "./edge-settings.tsx";

/** What to check when a connection does not come, the most frequent first. */
export function Troubles() {
  const host = URL.parse(person.mcpUrl)?.host ?? "this server";
  return (
    <Card title="When it does not connect">
      <Trouble title="You allowed it, and it says that authorization failed">
        <p>
          On a domain of your own, Cloudflare may turn the assistant away before this server sees
          it. In Cloudflare’s dashboard, choose the domain of <code>{host}</code> and look at two
          settings:
        </p>
        <EdgeSettings />
        <p>
          Or connect to the server’s <code>workers.dev</code> address, which is not in your domain.
        </p>
      </Trouble>
      <Trouble title="It finds no server, or answers 404 or “invalid target”">
        <ul>
          <SameAddress />
          <PathsLetThrough />
        </ul>
        <CopyLine text={person.mcpUrl} label="the address once more" />
      </Trouble>
      <Trouble title="You allowed it, and the app waits for ever">
        <HandedBack />
      </Trouble>
      <Trouble title="It is connected, and does not use your memory">
        <ul>
          <AskIt />
          <li>It works, and is not used? Paste the sentence above into its instructions.</li>
        </ul>
      </Trouble>
      <Trouble title="Its list of tools is old or empty">
        <p>Some assistants keep the list for a day or longer.</p>
        <ul>
          <li>
            <FreshAddress />
          </li>
        </ul>
      </Trouble>
      <Trouble title="You removed it there, and want to be sure">
        <p>
          Removing a connector in an assistant ends nothing here. Revoke it in{" "}
          <Link to="/apps">Connected apps</Link>: that holds at once.
        </p>
      </Trouble>
    </Card>
  );
}

function Trouble({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <details className="trouble">
      <summary>{title}</summary>
      {children}
    </details>
  );
}
