import { useEffect, useState } from "react";

/**
 * Delays `opened` to after the first render. A panel that is loaded with its first use would
 * otherwise be born open, and not know where the focus was that it must give back.
 */
export function useOpened(opened: boolean): boolean {
  const [mounted, setMounted] = useState(false);
  useEffect(() => setMounted(true), []);
  return mounted && opened;
}
