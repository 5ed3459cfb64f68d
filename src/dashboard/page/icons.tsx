import type { Verdict } from './wire.ts';

/** The mark of riskgate. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect class="mark-ground" width="32" height="32" rx="8" />
      <path class="mark-arch" d="M9 24V13a7 7 0 0 1 14 0v11" />
      <path class="mark-bars" d="M13.2 24v-9M18.8 24v-9" />
    </svg>
  );
}

const SHAPES: Readonly<Record<Verdict, string>> = {
  ALLOW: 'M3.5 8.5l3 3 6-7',
  CHALLENGE: 'M8 3.5v6M8 12.4v.1',
  BLOCK: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
};

/** A verdict, told by word, shape and colour. */
export function VerdictBadge({ verdict }: { readonly verdict: Verdict }) {
  return (
    <span class={`verdict verdict-${verdict.toLowerCase()}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={SHAPES[verdict]} />
      </svg>
      {verdict}
    </span>
  );
}

const PATHS = {
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.2v9.6l7.5-4.8z',
  close: 'M4 4l8 8M12 4l-8 8',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3L14 14',
  lock: 'M4.5 7V5a3.5 3.5 0 0 1 7 0v2M3.5 7h9v6.5h-9z',
  up: 'M8 13V3.5M3.8 7.5L8 3.3l4.2 4.2',
  download: 'M8 2.5v8M4.3 7L8 10.7 11.7 7M3 13.5h10',
  alert: 'M8 2.2l6.3 11.3H1.7zM8 6.5v3.4M8 11.7v.1',
  leave: 'M9.5 3.5h-6v9h6M7 8h7M11.5 5.2L14.2 8l-2.7 2.8',
} as const;

/** One icon, hidden from screen readers. */
export function Icon({ name }: { readonly name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
