import { signal } from '@preact/signals';

/** As the style sheets have it. */
const NARROW = matchMedia('(max-width: 760px)');

/** True on a screen as narrow as that of a phone. */
export const isNarrow = signal(NARROW.matches);

NARROW.addEventListener('change', ({ matches }) => {
  isNarrow.value = matches;
});
