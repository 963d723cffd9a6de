// The ceremonies of passkeys, for the pages of the server and the dashboard.
// @ts-check

/** Signs in with whatever passkey the device offers. */
export async function signIn() {
  const options = await call("generate-authenticate-options");
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({
    ...options,
    userVerification: "required",
  });
  const credential = await navigator.credentials.get({ publicKey });
  await call("verify-authentication", { response: toJson(credential) });
}

/**
 * Makes an account with a passkey; with a session, one more passkey for the same account. Where it is long since the person signed in,
 * the cause of the error is `NOT_CONFIRMED`.
 * @param {{ name: string, setupCode?: string, createSession: boolean }} settings name: of the person
 * @returns {Promise<{ id: string }>} the passkey
 */
export async function register({ name, setupCode = "", createSession }) {
  const headers = {
    "x-setup-code": setupCode,
    "x-time-zone": Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
  const query = new URLSearchParams({ name });
  const options = await call(`generate-register-options?${query}`, undefined, headers);
  // Shown by the device's own list of passkeys.
  options.user.displayName = name;
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await navigator.credentials.create({ publicKey });
  return call("verify-registration", { response: toJson(credential), createSession }, headers);
}

/**
 * What went wrong in a ceremony, for the person.
 * @param {unknown} error
 */
export function messageOf(error) {
  if (!(error instanceof Error)) return "Something went wrong. Try again.";
  if (error.name === "NotAllowedError") return "No passkey was used. Try again when you are ready.";
  if (error.name === "InvalidStateError")
    return "This device already has a passkey for this account.";
  return error.message;
}

/**
 * @param {string} ceremony
 * @param {object} [body]
 * @param {Record<string, string>} [headers]
 */
async function call(ceremony, body, headers = {}) {
  const response = await fetch(`/api/auth/passkey/${ceremony}`, {
    method: body === undefined ? "GET" : "POST",
    headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.json().catch(() => null);
  if (!response.ok) {
    const message = answer?.message ?? `The server answered ${response.status}.`;
    throw new Error(message, { cause: answer?.code });
  }
  return answer;
}

/** @param {Credential | null} credential */
function toJson(credential) {
  if (!(credential instanceof PublicKeyCredential)) throw new Error("No passkey was chosen.");
  return credential.toJSON();
}
