// Light or dark as this browser's person chose it, before the first paint; without a choice the system decides.
// @ts-check

const chosen = localStorage.getItem("cofio-mode");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset["mode"] = chosen;
