import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { YearOut } from "../../client";
import { aroundMessages, renew } from "../../queries";
import { sending } from "./live";

const all = [...aroundMessages.filter((name) => name !== "years"), "batch", "progress"];

/**
 * Has the rest of the screen follow the figures of the year: once messages no longer leave, whatever
 * is shown is read again with each change of the figures. Without this, what was read a moment
 * before the last change would stay on the screen, with no one left to look.
 */
export function useFollowing(year: YearOut | undefined, interval: number | false) {
  const client = useQueryClient();
  const before = useRef(year);
  useEffect(() => {
    const changed = before.current?.batchId === year?.batchId && before.current !== year;
    before.current = year;
    if (!changed) return;
    // While they leave, everything but these looks often enough by itself.
    void renew(client, interval === sending ? ["buildings", "batch"] : all);
  }, [client, year, interval]);
}
