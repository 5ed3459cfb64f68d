import type { ComponentChildren, TargetedMouseEvent } from 'preact';
import type { Address } from './address.ts';
import { go, searchOf } from './view-state.ts';

interface LinkProperties {
  /** What is another in the address behind the link. */
  readonly to: Partial<Address>;
  readonly class?: string;
  readonly title?: string;
  readonly isCurrent?: boolean;
  readonly tabIndex?: number;
  readonly children: ComponentChildren;
}

/** A link within the page: it changes the view without a reload, and opens in a new tab like any other link. */
export function Link({ to, isCurrent = false, children, ...others }: LinkProperties) {
  const follow = (event: TargetedMouseEvent<HTMLAnchorElement>) => {
    event.stopPropagation();
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a
      {...others}
      href={location.pathname + searchOf({ decisionId: null, ...to })}
      aria-current={isCurrent ? 'page' : undefined}
      onClick={follow}
    >
      {children}
    </a>
  );
}
