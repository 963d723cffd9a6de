// Copy buttons and the passkey ceremonies. Everything else on these pages works without a script.
// @ts-check
import { messageOf, register, signIn } from "./passkey.js";

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
      await (form.dataset["passkey"] === "sign-in" ? signIn() : register(settingsOf(form)));
      location.assign(form.dataset["next"] ?? "/");
    } catch (error) {
      alert.textContent = messageOf(error);
      alert.hidden = false;
      button.disabled = false;
    }
  });
}

/** @param {HTMLFormElement} form */
function settingsOf(form) {
  return {
    name: fieldOf(form, "name") ?? form.dataset["name"] ?? "",
    setupCode: fieldOf(form, "setup_code") ?? "",
    createSession: true,
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
