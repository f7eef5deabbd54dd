import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { YearOut } from "../../client";
import { aroundMessages, renew } from "../../queries";

/**
 * Has the rest of the screen follow the figures of the year: when they have changed, whatever does
 * not look again by itself is read again. Without this, what was read a moment before the last
 * change would stay on the screen, with no one left to look.
 */
export function useFollowing(year: YearOut | undefined, interval: number | false) {
  const client = useQueryClient();
  const before = useRef(year);
  useEffect(() => {
    const changed = before.current?.batchId === year?.batchId && before.current !== year;
    before.current = year;
    if (!changed) return;
    const others = aroundMessages.filter((name) => name !== "years");
    void renew(client, interval ? ["buildings", "batch"] : [...others, "batch", "progress"]);
  }, [client, year, interval]);
}
