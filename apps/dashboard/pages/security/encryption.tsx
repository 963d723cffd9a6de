import { Card } from "../../shell/page.tsx";

/** As README.md has it, in "What is encrypted, and who can read what". */
export function Encryption() {
  return (
    <Card title="What is encrypted, and what is not">
      <div className="encryption">
        <div>
          <h3>Encrypted with a key of your own</h3>
          <ul>
            <li>What memories and messages say, their titles and attachments</li>
            <li>Tags, project names and paths</li>
            <li>Your rules, reports of imports, exports and backups</li>
          </ul>
        </div>
        <div>
          <h3>Readable in the database</h3>
          <ul>
            <li>When something was written, how much there is, and how long it is</li>
            <li>
              Kinds from fixed lists: category, source, importance, status, who spoke in a message
            </li>
            <li>
              Of an account elsewhere that signs you in: its address, and the name or number by
              which it knows you
            </li>
            <li>
              Names of your apps, tokens, passkeys and browsers; your name, time zone, language
            </li>
          </ul>
        </div>
      </div>
      <p>
        <strong>Who can read it?</strong> Who steals a copy of the database reads none of what is
        encrypted. Whoever runs this server holds the key to the keys, and could: on a server of
        your own that is you. Apps read what you allowed them, until you pause or revoke them.
      </p>
      <p className="hint">
        Search works with scrambled words, different for each person: a copy shows which entries
        share a word and how often, but not which word.
      </p>
    </Card>
  );
}
