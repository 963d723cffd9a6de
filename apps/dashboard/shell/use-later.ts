/** What the first look at a page does not need, and would only slow down on a phone. */
import { useCallback, useEffect, useRef, useState } from "react";

/** The first page is there by then; from then on it is at hand without a connection as well. Arbitrary. */
const LATER_MS = 3_000;

/** @returns the module once it is loaded: a little after the page, or when it is wanted. What failed is tried again when it is next wanted. */
export function useLater<Module>(
  load: () => Promise<Module>,
): readonly [module: Module | null, want: () => void] {
  const [module, setModule] = useState<Module | null>(null);
  const first = useRef(load);
  const want = useCallback(() => {
    first.current().then(
      // A module is no function, which React would call.
      (loaded) => setModule(() => loaded),
      () => {},
    );
  }, []);
  useEffect(() => {
    const later = setTimeout(want, LATER_MS);
    return () => clearTimeout(later);
  }, [want]);
  return [module, want];
}
