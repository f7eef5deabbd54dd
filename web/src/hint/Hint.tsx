import { Tooltip } from "@mantine/core";
import {
  cloneElement,
  type HTMLAttributes,
  type ReactElement,
  useEffect,
  useRef,
  useState,
} from "react";

interface HintProps {
  label: string;
  children: ReactElement<HTMLAttributes<HTMLElement>>;
}

/**
 * A tooltip that is made when somebody points at what it explains, or reaches it with the keyboard.
 * A list has hundreds of times and badges: a tooltip for each would cost more than the list.
 */
export function Hint({ label, children }: HintProps) {
  const [target, setTarget] = useState<HTMLElement | null>(null);
  const [opened, setOpened] = useState(false);
  const waiting = useRef<number>(undefined);
  const show = (element: HTMLElement, delay: number) => {
    window.clearTimeout(waiting.current);
    waiting.current = window.setTimeout(() => {
      setTarget(element);
      setOpened(true);
    }, delay);
  };
  const hide = () => {
    window.clearTimeout(waiting.current);
    setOpened(false);
  };
  useEffect(() => () => window.clearTimeout(waiting.current), []);
  useEffect(() => {
    if (!opened) return;
    const dismiss = (event: KeyboardEvent) => event.key === "Escape" && setOpened(false);
    window.addEventListener("keydown", dismiss, true);
    return () => window.removeEventListener("keydown", dismiss, true);
  }, [opened]);
  return (
    <>
      {cloneElement(children, {
        // Who only passes by with the mouse is not asking.
        onPointerEnter: ({ currentTarget }) => show(currentTarget, 200),
        onPointerLeave: hide,
        onFocus: ({ currentTarget }) => {
          if (currentTarget.matches(":focus-visible")) show(currentTarget, 0);
        },
        onBlur: hide,
      })}
      {target && <Tooltip target={target} label={label} opened={opened} />}
    </>
  );
}
