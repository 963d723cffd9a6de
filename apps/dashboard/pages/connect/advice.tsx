/** What to try, in one wording wherever it is of use: beside the step that does not come, and among all troubles. */
import { person } from "../../person.ts";
import { Link } from "../../shell/router.tsx";
import { CopyLine } from "../../states/copy-line.tsx";
import { isOnThisComputer } from "./reach.ts";

export function SameAddress() {
  return (
    <li>
      Its address has to be exactly <code>{person.mcpUrl}</code>, with <code>/mcp</code> and without
      a slash after it. Better copied than typed.
    </li>
  );
}

export function PathsLetThrough() {
  return isOnThisComputer(person.mcpUrl) ? null : (
    <li>
      A proxy, a firewall or “Block AI bots” has to let <code>/mcp</code> itself,{" "}
      <code>/.well-known/</code> and <code>/oauth/</code> through.
    </li>
  );
}

/** How a permission gets back to an app that runs on somebody's computer. */
export function HandedBack() {
  return (
    <>
      <p>
        Your browser hands the permission back to the app, often at an address that begins with{" "}
        <code>http://localhost</code>.
      </p>
      <ul>
        <li>The app and this browser have to be on the same computer, without a container.</li>
        <li>A firewall, or an extension of the browser, may block that address.</li>
        <li>
          Where it cannot work, make a personal access token in{" "}
          <Link to="/apps">Connected apps</Link> and give it that.
        </li>
      </ul>
    </>
  );
}

/** Of an app that is connected and uses nothing. */
export function AskIt() {
  return (
    <>
      <li>Ask it “How many memories do you have about me?”: a number means that it works.</li>
      <li>
        If it knows no such tool, switch the connector on for the conversation, or start a new one.
      </li>
    </>
  );
}

/** Many keep what they once heard of an address. */
export function FreshAddress() {
  return (
    <>
      Remove the connector there and add it again with this address, which is the same server under
      a fresh name:
      <CopyLine text={`${person.mcpUrl}?v=2`} label="the address under a fresh name" />
    </>
  );
}
