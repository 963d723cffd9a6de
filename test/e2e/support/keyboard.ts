/** A person without a mouse: gets about by Tab, and sees where they are. */
import type { Locator, Page } from "playwright-core";

/** More than any page has. */
const MOST_PRESSES = 120;

export interface Keyboard {
  /** @throws when Tab does not lead there, or it does not show that it is in focus */
  reach(target: Locator): Promise<void>;
  /** The same, against the order of the page. */
  reachBack(target: Locator): Promise<void>;
  /** @param key as Playwright names it */
  press(target: Locator, key?: string): Promise<void>;
  /** In place of what stands in the field. */
  type(target: Locator, text: string): Promise<void>;
}

export function keyboardOf(page: Page): Keyboard {
  async function go(target: Locator, key: "Tab" | "Shift+Tab"): Promise<void> {
    const passed: string[] = [];
    for (let presses = 0; presses < MOST_PRESSES; presses++) {
      const found = await askFocus(target);
      if (found === "shown") return;
      if (found === "hidden") throw new Error(`Nothing shows that ${String(target)} is in focus`);
      passed.push(found.elsewhere);
      await page.keyboard.press(key);
    }
    throw new Error(`${key} does not lead to ${String(target)}:\n${passed.join("\n")}`);
  }
  const reach = (target: Locator) => go(target, "Tab");
  return {
    reach,
    reachBack: (target) => go(target, "Shift+Tab"),
    async press(target, key = "Enter") {
      await reach(target);
      await page.keyboard.press(key);
    },
    async type(target, text) {
      await reach(target);
      await page.keyboard.press("ControlOrMeta+A");
      await page.keyboard.type(text);
    },
  };
}

/**
 * Whether it is in focus and shows it, by an outline of its own or of what stands for it where it is hidden itself; else what is in focus.
 * One question a key: there are a thousand of them in a journey.
 */
function askFocus(target: Locator) {
  return target.evaluate((element) => {
    const { activeElement, defaultView } = element.ownerDocument;
    if (element === activeElement) {
      const isShown = [element, element.closest("label")].some((one) => {
        const style = one === null ? undefined : defaultView?.getComputedStyle(one);
        return style !== undefined && style.outlineStyle !== "none" && style.outlineWidth !== "0px";
      });
      return isShown ? "shown" : "hidden";
    }
    if (activeElement === null || activeElement.tagName === "BODY") {
      return { elsewhere: "(nothing)" };
    }
    const { tagName, textContent, ariaLabel } = activeElement;
    return {
      elsewhere: `${tagName.toLowerCase()} ${(ariaLabel ?? textContent ?? "").trim().slice(0, 60)}`,
    };
  });
}
