import { act, renderHook } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { type Draft, dropDraft, isSame, keepDraft, requestOf, useDraft, useDrafts } from "./draft";

const draft = (name: string): Draft => ({
  sender: { name, address: "", replyTo: "", phone: "", payee: "" },
  texts: { en: { subject: "Your bill", greeting: "", intro: "", closing: "", smsText: "" } },
});
const unsaved = { buildingId: "b", buildingName: "Lindenhof", draft: draft("Nord"), since: null };

afterEach(() => act(() => dropDraft("b")));

/** Whether closing the tab now would be asked about. */
function isHeldBack(): boolean {
  const leaving = new Event("beforeunload", { cancelable: true });
  window.dispatchEvent(leaving);
  return leaving.defaultPrevented;
}

test("what was written waits for whoever went elsewhere and came back", () => {
  const first = renderHook(() => useDraft("b"));
  act(() => keepDraft(unsaved));
  first.unmount();
  expect(renderHook(() => useDraft("b")).result.current?.draft).toEqual(draft("Nord"));
  expect(renderHook(() => useDraft("other")).result.current).toBeUndefined();
});

test("the tab is not closed over unsaved changes without a question", () => {
  expect(isHeldBack()).toBe(false);
  act(() => keepDraft(unsaved));
  expect(isHeldBack()).toBe(true);
  act(() => dropDraft("b"));
  expect(isHeldBack()).toBe(false);
  expect(renderHook(() => useDrafts()).result.current).toEqual([]);
});

test("a changed letter is a change, and all languages are sent", () => {
  expect(isSame(draft("Nord"), draft("Nord"))).toBe(true);
  expect(isSame(draft("Nord"), draft("Süd"))).toBe(false);
  expect(Object.keys(requestOf(draft("Nord")).templates ?? {})).toEqual(["en"]);
});
