import { type Signal, useSignal } from '@preact/signals';
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { revision, rows, takeDropped } from './live-feed.ts';
import { isNarrow } from './narrow.ts';
import { address } from './view-state.ts';

/** Pixels of a row in either layout, as the style sheet has them. */
const ROW_HEIGHT = { narrow: 116, wide: 38 };
/** Until the first measurement. */
const HEIGHT_DEFAULT = 560;
/** Rows that are drawn above and below what is seen, so that a quick scroll shows no holes. */
const OVERSCAN = 6;
/** Pixels within which the list counts as scrolled to its top. */
const TOP_TOLERANCE = 2;

/** The part of the rows that is in the document, and what makes them stand still. */
export interface RowWindow {
  readonly box: RefObject<HTMLDivElement | null>;
  /** The pointer is over the rows. */
  readonly isPointed: Signal<boolean>;
  /** The place of the row that has the focus, or in which something has it; or null. */
  readonly focused: Signal<number | null>;
  /** Pixels of one row. */
  readonly size: number;
  /** Rows that there are in all, those that are new left out. */
  readonly count: number;
  /** Rows that arrived while the others stood still. */
  readonly fresh: number;
  /** The places that are drawn, the last exclusive. */
  readonly first: number;
  readonly last: number;
  /** Lets the rows go on with what is new. */
  follow(): void;
  /** Moves the focus by `step` rows, and scrolls as little as that needs. */
  stepFocus(step: number): void;
  /** Whole rows that are seen at once. */
  pageSize(): number;
}

/** While somebody reads (has scrolled, points at a row, has one focused or open), the rows stand still. */
export function useRowWindow(): RowWindow {
  const box = useRef<HTMLDivElement>(null);
  const isPointed = useSignal(false);
  const focused = useSignal<number | null>(null);
  /** How many rows had arrived when they began to stand still; null while they follow. */
  const held = useRef<number | null>(null);
  const size = isNarrow.value ? ROW_HEIGHT.narrow : ROW_HEIGHT.wide;
  /** Counts what the virtualizer wants drawn again. */
  const moves = useSignal(0);
  const onChange = () => {
    moves.value += 1;
  };
  const [virtualizer] = useState(
    () => new Virtualizer<HTMLDivElement, HTMLElement>(optionsOf(box, 0, size, onChange)),
  );
  void [revision.value, moves.value];

  const dropped = takeDropped();
  if (held.current !== null) held.current = Math.max(0, held.current - dropped);
  const isReading = isPointed.value || focused.value !== null || address.value.decisionId !== null;
  const isHeld = isReading || (virtualizer.scrollOffset ?? 0) > TOP_TOLERANCE;
  held.current = isHeld ? (held.current ?? rows.arrived) : null;
  const fresh = held.current === null ? 0 : Math.max(0, rows.arrived - held.current);
  const count = rows.length - fresh;

  virtualizer.setOptions(optionsOf(box, count, size, onChange));
  useLayoutEffect(() => virtualizer.measure(), [size]);
  useLayoutEffect(() => virtualizer._didMount(), []);
  useLayoutEffect(() => virtualizer._willUpdate());
  useLayoutEffect(() => moveFocus(box.current, focused.value));

  const places = virtualizer.getVirtualIndexes();
  return {
    box,
    isPointed,
    focused,
    size,
    count,
    fresh,
    first: places[0] ?? 0,
    last: (places.at(-1) ?? -1) + 1,
    follow: () => {
      focused.value = null;
      isPointed.value = false;
      virtualizer.scrollToOffset(0);
      revision.value += 1;
    },
    stepFocus: (step) => {
      if (focused.value === null) return;
      const place = Math.min(count - 1, Math.max(0, focused.value + step));
      focused.value = place;
      virtualizer.scrollToIndex(place);
      // At once, if the row is in the document: the next key may be there before the next drawing.
      moveFocus(box.current, place);
    },
    pageSize: () => Math.floor((virtualizer.scrollRect?.height ?? HEIGHT_DEFAULT) / size),
  };
}

/** Rows have one height, so that none is measured. */
function optionsOf(box: RefObject<HTMLDivElement | null>, count: number, size: number, onChange: () => void) {
  return {
    count,
    getScrollElement: () => box.current,
    estimateSize: () => size,
    overscan: OVERSCAN,
    initialRect: { width: 0, height: HEIGHT_DEFAULT },
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange,
  };
}

/** The focus follows the place: the row that had it may have left the document. A link in the row keeps it. */
function moveFocus(box: HTMLElement | null, place: number | null): void {
  if (box === null || place === null) return;
  const row = box.querySelector<HTMLElement>(`[data-place="${place}"]`);
  if (row !== null && !row.contains(document.activeElement)) row.focus({ preventScroll: true });
}
