import { messageOf, signIn } from "../../../public/assets/passkey.js";
import { answerOf, ApiProblem } from "../api.ts";
import { account } from "./account.ts";

/**
 * What the server does only for who was at the browser lately: it is asked, and once more after the person has used their passkey. Who has
 * none, or used none and has other ways, leaves for the page that knows those, and asks again afterwards.
 * @throws ApiProblem also of the device
 */
export async function confirmed<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.code !== "not_confirmed") throw error;
  }
  const { passkeys } = await answerOf(account.passkeys.$get());
  if (passkeys.length === 0) throw leaveToConfirm();
  await signIn().catch(async (cause: unknown) => {
    // The passkey may be lost, or on another device.
    const { identities } = await answerOf(account.identities.$get());
    if (identities.some((identity) => identity.is_usable)) throw leaveToConfirm();
    throw new ApiProblem("device", messageOf(cause), "", { cause });
  });
  return ask();
}

/** By another way than a passkey, and back to this page. @returns what is told until then */
function leaveToConfirm(): ApiProblem {
  location.assign(`/confirm?${new URLSearchParams({ next: location.pathname })}`);
  return new ApiProblem("not_confirmed", "Confirm that it is you first.", "Then repeat this.");
}
