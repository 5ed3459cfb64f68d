import { useEffect } from 'preact/hooks';
import { isUnmodified } from './act/act-keys.ts';
import type { ApiClient, Query } from './api-client.ts';
import { DecisionRow } from './decision-row.tsx';
import { formatCount } from './format.ts';
import { Icon } from './icons.tsx';
import { hasMore, isLoadingMore, loadMore, rows } from './live-feed.ts';
import { endSessionOn } from './session.ts';
import { type RowWindow, useRowWindow } from './use-row-window.ts';
import { go } from './view-state.ts';

/** From so many rows before the end on, older ones are asked for. */
const AHEAD = 20;

/**
 * However many decisions there are, a screenful is in the document. A button tells how many are new while the
 * rows stand still.
 */
export function DecisionTable({ client, query }: { readonly client: ApiClient; readonly query: Query }) {
  const view = useRowWindow();
  const { count, fresh, last } = view;
  useEffect(() => {
    if (last > count - AHEAD && hasMore()) void loadMore(client, query, endSessionOn);
  });
  return (
    <>
      {fresh > 0 && (
        <button class="fresh" type="button" onClick={view.follow}>
          <Icon name="up" /> {formatCount(fresh)} new
        </button>
      )}
      <div class="table" role="table" aria-label="Decisions, newest first" aria-rowcount={count + 1}>
        <TableHead />
        <TableBody view={view} />
      </div>
      <p class="table-foot">
        {isLoadingMore.value ? 'Reading older decisions…' : `${formatCount(count)} loaded`}
        {!hasMore() &&
          !isLoadingMore.value &&
          (rows.hasRoom ? ', all that match' : ', the newest; filters and times lead to older ones')}
      </p>
    </>
  );
}

function TableBody({ view }: { readonly view: RowWindow }) {
  const { box, isPointed, focused, size, count, fresh, first, last } = view;
  return (
    <div
      ref={box}
      class="table-body"
      // Few rows leave no empty space below them.
      style={{ maxHeight: `${count * size}px` }}
      role="rowgroup"
      onPointerMove={({ pointerType, movementX, movementY }) => {
        // Rows that appear below a pointer that rests are not pointed at.
        if (pointerType === 'mouse' && (movementX !== 0 || movementY !== 0)) isPointed.value = true;
      }}
      onPointerLeave={() => {
        isPointed.value = false;
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && document.activeElement instanceof HTMLElement) {
          document.activeElement.blur();
          view.follow();
        }
        const step = keySteps(view.pageSize())[event.key];
        if (step === undefined || !isUnmodified(event)) return;
        event.preventDefault();
        view.stepFocus(step);
      }}
      onFocusCapture={(event) => {
        // Only elements have focus; that of a link is that of its row.
        const row = (event.target as HTMLElement).closest<HTMLElement>('[data-place]');
        if (row !== null) focused.value = Number(row.dataset['place']);
      }}
      onBlurCapture={(event) => {
        const next = event.relatedTarget;
        // A row that is scrolled out of the document loses the focus to nobody.
        if (next instanceof Node && !event.currentTarget.contains(next)) focused.value = null;
      }}
    >
      <Spacer rowCount={first} size={size} />
      {Array.from({ length: Math.max(0, last - first) }, (_, index) => {
        const place = first + index;
        const row = rows.at(place + fresh);
        return (
          row && (
            <DecisionRow
              key={row.decision_id}
              row={row}
              place={place}
              isTabStop={place === (focused.value ?? first)}
              onOpen={() => go({ decisionId: row.decision_id })}
            />
          )
        );
      })}
      <Spacer rowCount={count - last} size={size} />
    </div>
  );
}

const COLUMNS = ['Time', 'Decision', 'Account', 'Device', 'Why', 'Caller', 'Evidence', 'Latency'];

function TableHead() {
  return (
    <div class="table-head" role="rowgroup">
      <div class="row row-head" role="row" aria-rowindex={1}>
        {COLUMNS.map((name) => (
          <span key={name} role="columnheader" class={name === 'Latency' ? 'number' : undefined}>
            {name}
          </span>
        ))}
      </div>
    </div>
  );
}

/**
 * Rows that are not in the document, as empty space. Browsers bound the height of an element at some 16
 * million pixels, which 100,000 rows stay below.
 */
function Spacer({ rowCount, size }: { readonly rowCount: number; readonly size: number }) {
  if (rowCount <= 0) return null;
  return <div role="presentation" style={{ height: `${rowCount * size}px` }} />;
}

/** Rows that a key moves the focus by. */
function keySteps(page: number): Readonly<Record<string, number>> {
  return {
    ArrowDown: 1,
    ArrowUp: -1,
    j: 1,
    k: -1,
    PageDown: page,
    PageUp: -page,
    Home: Number.NEGATIVE_INFINITY,
    End: Number.POSITIVE_INFINITY,
  };
}
