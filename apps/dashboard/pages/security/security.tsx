import { ClosingNote } from "../../account/closing-note.tsx";
import { useProfile } from "../../account/profile.ts";
import { Card, Page as Frame } from "../../shell/page.tsx";
import { ShortcutSwitch } from "../../shell/shortcut-switch.tsx";
import { Answer } from "../../states/answer.tsx";
import "../../styles/account.css";
import "../../styles/security.css";
import { DeleteAccount } from "./delete-account.tsx";
import { Encryption } from "./encryption.tsx";
import { Identities } from "./identities.tsx";
import { Passkeys } from "./passkeys.tsx";
import { ProfileForm } from "./profile-form.tsx";
import { RecoveryCode } from "./recovery-code.tsx";
import { Sessions } from "./sessions.tsx";

/** How the person signs in, who they are here, what protects them, and the end of it all. */
export function Page() {
  const profile = useProfile();
  return (
    <Frame title="Security" lead="How you sign in, who you are here, and what is protected.">
      <Answer query={profile}>
        {(profile) => (
          <>
            <ClosingNote />
            {profile.signs_in ? (
              <>
                <Passkeys person={profile.name} />
                <Identities />
                <RecoveryCode />
                <Sessions />
              </>
            ) : null}
            <ProfileForm profile={profile} />
            <Card title="Keyboard">
              <p>
                On any page <kbd>?</kbd> lists the keys that do something there.
              </p>
              <ShortcutSwitch />
            </Card>
            <Encryption />
            {profile.signs_in && profile.deletion === null ? <DeleteAccount /> : null}
          </>
        )}
      </Answer>
    </Frame>
  );
}
