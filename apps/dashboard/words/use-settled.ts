import { useEffect, useState } from "react";

/** A value once it has stayed for so long: after the last key, so that not every one is a request. */
export function useSettled<Value extends string | number>(value: Value, waitMs: number): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), waitMs);
    return () => clearTimeout(timer);
  }, [value, waitMs]);
  return settled;
}
