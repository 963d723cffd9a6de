/**
 * Where a button is disabled while it works, or goes with what it changed, a browser puts the focus nowhere: who uses the keys would begin
 * at the top again. It is brought back to the button once that can be used, or else to the part of the page that it stood in.
 */

/** Dialogs and pages put the focus where it belongs themselves; this comes after them. Arbitrary. */
const AFTER_MS = 100;
/** A button that is disabled for longer than most requests take stays so: what it saves is saved. Arbitrary. */
const GIVE_UP_MS = 1_500;
const PARTS = "section, form, article, li, main";

/** @returns what ends it */
export function keepFocus(): () => void {
  let last: HTMLElement | null = null;
  let around: readonly HTMLElement[] = [];
  let frame = 0;
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let givesUpAt = Infinity;
  const remember = ({ target }: FocusEvent) => {
    if (!(target instanceof HTMLElement)) return;
    last = target;
    givesUpAt = Infinity;
    around = partsAround(target);
  };
  /** Somebody moves it themselves, perhaps to nowhere. */
  const forget = () => {
    last = null;
  };
  const forgetAtTab = ({ key }: KeyboardEvent) => {
    if (key === "Tab") forget();
  };
  const stop = () => {
    cancelAnimationFrame(frame);
    clearTimeout(waiting);
  };
  const bringBack = () => {
    if (last === null || !isNowhere()) return;
    const isDisabled = last.matches(":disabled");
    if (last.isConnected && !isDisabled) last.focus({ preventScroll: true });
    else if (last.isConnected && performance.now() < givesUpAt) {
      waiting = setTimeout(bringBack, givesUpAt - performance.now());
    } else focusPart(around.find((part) => part.isConnected));
  };
  const changes = new MutationObserver(() => {
    if (last === null) return;
    if (last.isConnected && !last.matches(":disabled") && !isNowhere()) {
      givesUpAt = Infinity;
      return;
    }
    // However much changes meanwhile: the time runs from the first change on, and when it is over what is planned is no longer put off.
    if (givesUpAt === Infinity) givesUpAt = performance.now() + GIVE_UP_MS;
    if (performance.now() >= givesUpAt) return;
    stop();
    // A browser takes the focus from what is disabled with the next frame, and only then it can be seen that it is nowhere.
    frame = requestAnimationFrame(() => {
      waiting = setTimeout(bringBack, AFTER_MS);
    });
  });
  changes.observe(document.body, { childList: true, subtree: true, attributeFilter: ["disabled"] });
  addEventListener("focusin", remember);
  addEventListener("pointerdown", forget, true);
  addEventListener("keydown", forgetAtTab, true);
  return () => {
    stop();
    changes.disconnect();
    removeEventListener("focusin", remember);
    removeEventListener("pointerdown", forget, true);
    removeEventListener("keydown", forgetAtTab, true);
  };
}

/** And not in the bars of the browser. */
function isNowhere(): boolean {
  return document.activeElement === document.body && document.hasFocus();
}

/** The nearest first. */
function partsAround(element: HTMLElement): HTMLElement[] {
  const parts: HTMLElement[] = [];
  let part = element.parentElement?.closest<HTMLElement>(PARTS) ?? null;
  while (part !== null) {
    parts.push(part);
    part = part.parentElement?.closest<HTMLElement>(PARTS) ?? null;
  }
  const main = document.querySelector("main");
  return main === null ? parts : [...parts, main];
}

function focusPart(part: HTMLElement | undefined): void {
  if (part === undefined) return;
  if (!part.hasAttribute("tabindex")) {
    part.tabIndex = -1;
    part.addEventListener("blur", () => part.removeAttribute("tabindex"), { once: true });
  }
  part.focus({ preventScroll: true });
}
