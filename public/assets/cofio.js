// Copy buttons and the passkey ceremonies. Everything else on these pages works without a script.
// @ts-check
import { messageOf, register, signIn } from "./passkey.js";

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!(button instanceof HTMLButtonElement)) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    // Refused where the browser or the person forbids it: the text is there to be chosen.
    button.textContent = await navigator.clipboard.writeText(button.dataset["copy"] ?? "").then(
      () => "Copied",
      () => "Not copied",
    );
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!(form instanceof HTMLFormElement)) continue;
  form.addEventListener("submit", async (event) => {
    // A button that leaves for an identity provider is the form's own.
    if (event.submitter?.hasAttribute("formaction")) return;
    event.preventDefault();
    const button = form.querySelector("button");
    const alert = form.querySelector("[role=alert]");
    if (button === null || !(alert instanceof HTMLElement)) return;
    button.disabled = true;
    alert.hidden = true;
    try {
      await (form.dataset["passkey"] === "sign-in" ? signIn() : register(settingsOf(form)));
      location.assign(form.dataset["next"] ?? "/");
    } catch (error) {
      if (error instanceof Error && error.cause === "NOT_CONFIRMED") {
        // There the person has every way that is theirs, and comes back to this page.
        location.assign(`/confirm?${new URLSearchParams({ next: location.pathname })}`);
        return;
      }
      alert.textContent = messageOf(error);
      alert.hidden = false;
      button.disabled = false;
    }
  });
}

for (const field of document.querySelectorAll("input[data-time-zone]")) {
  if (!(field instanceof HTMLInputElement)) continue;
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** @param {HTMLFormElement} form */
function settingsOf(form) {
  return {
    name: fieldOf(form, "name") ?? form.dataset["name"] ?? "",
    setupCode: fieldOf(form, "setup_code") ?? "",
    // Who adds a passkey is signed in.
    createSession: form.dataset["passkey"] === "sign-up",
  };
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function fieldOf(form, name) {
  const field = form.elements.namedItem(name);
  return field instanceof HTMLInputElement ? field.value : undefined;
}
