/** What a person chose for this browser alone. One that keeps nothing for this site forgets it with the page. */

export function readKept(key: string): string | null {
  return unlessRefused(() => localStorage.getItem(key)) ?? null;
}

/** @param choice null: as without a choice */
export function keep(key: string, choice: string | null): void {
  unlessRefused(() => {
    if (choice === null) localStorage.removeItem(key);
    else localStorage.setItem(key, choice);
  });
}

function unlessRefused<Value>(use: () => Value): Value | undefined {
  try {
    return use();
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return undefined;
  }
}
