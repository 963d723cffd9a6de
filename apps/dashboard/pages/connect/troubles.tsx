import type { ReactNode } from "react";
import { Card } from "../../shell/page.tsx";
import { findPlace, Link } from "../../shell/router.tsx";
import { person } from "../../person.ts";
import { CopyLine } from "../../states/copy-line.tsx";

/** What to check when a connection does not come, the most frequent first. */
export function Troubles() {
  const host = URL.parse(person.mcpUrl)?.host ?? "this server";
  const apps = findPlace("/apps") === null ? "/account" : "/apps";
  return (
    <Card title="When it does not connect">
      <Trouble title="You allowed it, and it says that authorization failed">
        <p>
          On a domain of your own, Cloudflare may turn the assistant away before this server sees
          it. In Cloudflare’s dashboard, choose the domain of <code>{host}</code> and look at two
          settings:
        </p>
        <ul>
          <li>
            <strong>Block AI bots</strong>, among the security settings: switch it off. Exceptions
            by firewall rules do not lift it.
          </li>
          <li>
            <strong>AI Crawl Control</strong>: allow the assistant’s crawlers, such as{" "}
            <code>Claude-User</code>, or leave <code>/mcp</code> and <code>/.well-known/</code> out
            of its rule.
          </li>
        </ul>
        <p>
          Or connect to the server’s <code>workers.dev</code> address, which is not in your domain.
        </p>
      </Trouble>
      <Trouble title="It finds no server, or answers 404 or “invalid target”">
        <p>
          Compare the address letter by letter: it begins with <code>https://</code>, ends with{" "}
          <code>/mcp</code>, has no slash after that and no port. Better, copy it:
        </p>
        <CopyLine text={person.mcpUrl} label="the address once more" />
        <p>
          A rule of a proxy or firewall has to let <code>/mcp</code> itself through, and not only
          what is below it, and <code>/.well-known/</code> too.
        </p>
      </Trouble>
      <Trouble title="You allowed it, and the program waits for ever">
        <p>
          Your browser hands the permission back to the program, often at an address that begins
          with <code>http://localhost</code>. That needs a browser on the same computer, and no
          firewall or container in between. Where it cannot work, give the program a{" "}
          <a href="/account">personal access token</a>.
        </p>
      </Trouble>
      <Trouble title="It is connected, and does not use your memory">
        <p>
          Ask it “How many memories do you have about me?”. If it answers with a number, the
          connection works: paste the sentence above into its instructions. If it knows no such
          tool, switch the connector on for the conversation, or start a new one.
        </p>
      </Trouble>
      <Trouble title="Its list of tools is old or empty">
        <p>
          Some assistants keep the list for a day or longer. Remove the connector there and add it
          again with this address, which is the same server under a fresh name:
        </p>
        <CopyLine text={`${person.mcpUrl}?v=2`} label="the address for a fresh list" />
      </Trouble>
      <Trouble title="You removed it there, and want to be sure">
        <p>
          Removing a connector in an assistant ends nothing here. Revoke it in{" "}
          <Link to={apps}>{apps === "/apps" ? "Connected apps" : "your account"}</Link>: that holds
          at once.
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
