import { person } from "../../person.ts";
import { Card } from "../../shell/page.tsx";
import { Link } from "../../shell/router.tsx";
import { CopyLine } from "../../states/copy-line.tsx";

/** For an account with nothing in it. */
export function NextSteps() {
  return (
    <div className="columns-even">
      <Card title="Connect an assistant">
        <p>Give this address to Claude, ChatGPT, Cursor or any other MCP client:</p>
        <CopyLine text={person.mcpUrl} label="the address" />
        <p>For Claude Code:</p>
        <CopyLine
          text={`claude mcp add --transport http --scope user cofio ${person.mcpUrl}`}
          label="the command"
        />
        <p className="actions">
          <Link to="/connect" className="button">
            Other apps
          </Link>
        </p>
      </Card>
      <Card title="Import your history">
        <p>
          Bring what other assistants know about you: exports of ChatGPT, Claude, Gemini and many
          others, or another Cofio. You see what is in a file before anything is kept.
        </p>
        <p className="actions">
          <Link to="/import" className="button primary">
            Import files
          </Link>
        </p>
      </Card>
    </div>
  );
}
