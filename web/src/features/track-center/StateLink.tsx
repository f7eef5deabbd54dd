import type { AnchorHTMLAttributes, MouseEvent, ReactNode, Ref } from "react";
import { type Filters, hrefOf } from "./filters";
import { useUrl } from "./TrackCenterProvider";

type Changes = Partial<{ [Name in keyof Filters]: Filters[Name] | null }>;

interface StateLinkProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href" | "onClick"> {
  changes: Changes;
  children: ReactNode;
  /** Before this screen changes; not when the link opens elsewhere. */
  onFollow?: () => void;
  ref?: Ref<HTMLAnchorElement>;
}

/** The whole address of this screen in another state, to be handed to somebody. */
export function useAddress(changes: Changes): string {
  const { filters } = useUrl();
  const { origin, pathname } = window.location;
  return origin + hrefOf(pathname, { ...filters, ...changes });
}

/** A real link to this screen in another state: opens in a new tab, can be copied, needs no reload. */
export function StateLink({ changes, children, onFollow, ...rest }: StateLinkProps) {
  const { filters, set } = useUrl();
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
      return;
    event.preventDefault();
    onFollow?.();
    void set(changes);
  };
  return (
    <a
      {...rest}
      href={hrefOf(window.location.pathname, { ...filters, ...changes })}
      onClick={follow}
    >
      {children}
    </a>
  );
}
