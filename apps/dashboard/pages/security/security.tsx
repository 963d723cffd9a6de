import { ClosingNote } from "../../account/closing-note.tsx";
import { useProfile } from "../../account/profile.ts";
import { Page as Frame } from "../../shell/page.tsx";
import { Answer } from "../../states/answer.tsx";
import "../../styles/account.css";
import "../../styles/security.css";
import { DeleteAccount } from "./delete-account.tsx";
import { Encryption } from "./encryption.tsx";
import { Passkeys } from "./passkeys.tsx";
import { ProfileForm } from "./profile-form.tsx";
import { RecoveryCode } from "./recovery-code.tsx";
import { Sessions } from "./sessions.tsx";

/** How the person signs in, who they are here, what protects them, and the end of it all. */
export function Page() {
  const profile = useProfile();
  return (
    <Frame
      title="Security and account"
      lead="How you sign in, who you are here, and what is protected."
    >
      <Answer query={profile}>
        {(profile) => (
          <>
            <ClosingNote />
            {profile.signs_in ? (
              <>
                <Passkeys person={profile.name} />
                <RecoveryCode />
                <Sessions />
              </>
            ) : null}
            <ProfileForm profile={profile} />
            <Encryption />
            {profile.deletion === null ? <DeleteAccount /> : null}
          </>
        )}
      </Answer>
    </Frame>
  );
}
