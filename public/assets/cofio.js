// Copy buttons and the passkey ceremonies. Everything else on these pages works without a script.
// @ts-check

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!(button instanceof HTMLButtonElement)) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset["copy"] ?? "");
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!(form instanceof HTMLFormElement)) continue;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const alert = form.querySelector("[role=alert]");
    if (button === null || !(alert instanceof HTMLElement)) return;
    button.disabled = true;
    alert.hidden = true;
    try {
      await (form.dataset["passkey"] === "sign-in" ? signIn() : register(form));
      location.assign(form.dataset["next"] ?? "/");
    } catch (error) {
      alert.textContent = messageOf(error);
      alert.hidden = false;
      button.disabled = false;
    }
  });
}

async function signIn() {
  const options = await call("generate-authenticate-options");
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({
    ...options,
    userVerification: "required",
  });
  const credential = await navigator.credentials.get({ publicKey });
  await call("verify-authentication", { response: toJson(credential) });
}

/**
 * Makes an account with a passkey; with a session, one more passkey for the same account.
 * @param {HTMLFormElement} form
 */
async function register(form) {
  const name = fieldOf(form, "name") ?? form.dataset["name"] ?? "";
  const headers = {
    "x-setup-code": fieldOf(form, "setup_code") ?? "",
    "x-time-zone": Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
  const query = new URLSearchParams({ name });
  const options = await call(`generate-register-options?${query}`, undefined, headers);
  // Shown by the device's own list of passkeys.
  options.user.displayName = name;
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await navigator.credentials.create({ publicKey });
  await call("verify-registration", { response: toJson(credential), createSession: true }, headers);
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function fieldOf(form, name) {
  const field = form.elements.namedItem(name);
  return field instanceof HTMLInputElement ? field.value : undefined;
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
  if (!response.ok) throw new Error(answer?.message ?? `The server answered ${response.status}.`);
  return answer;
}

/** @param {Credential | null} credential */
function toJson(credential) {
  if (!(credential instanceof PublicKeyCredential)) throw new Error("No passkey was chosen.");
  return credential.toJSON();
}

/** @param {unknown} error */
function messageOf(error) {
  if (!(error instanceof Error)) return "Something went wrong. Try again.";
  if (error.name === "NotAllowedError") return "No passkey was used. Try again when you are ready.";
  if (error.name === "InvalidStateError")
    return "This device already has a passkey for this account.";
  return error.message;
}
