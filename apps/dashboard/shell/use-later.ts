/** What the first look at a page does not need, and would only slow down on a phone. */
import { useCallback, useEffect, useRef, useState } from "react";

/** The first page is there by then; from then on it is at hand without a connection as well. Arbitrary. */
const LATER_MS = 3_000;

/**
 * @param load the same every time
 * @returns the module once it is loaded, a little after the page or when it is wanted; what wants it is told whether it came. A browser may
 *   keep in mind that it did not, until the page is loaded again.
 */
export function useLater<Module>(
  load: () => Promise<Module>,
): readonly [module: Module | null, want: () => Promise<boolean>] {
  const [module, setModule] = useState<Module | null>(null);
  const first = useRef(load);
  const want = useCallback(
    () =>
      first.current().then(
        (loaded) => {
          // A module is no function, which React would call.
          setModule(() => loaded);
          return true;
        },
        () => false,
      ),
    [],
  );
  useEffect(() => {
    const later = setTimeout(() => void want(), LATER_MS);
    return () => clearTimeout(later);
  }, [want]);
  return [module, want];
}
