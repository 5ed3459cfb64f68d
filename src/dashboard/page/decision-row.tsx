import type { TargetedKeyboardEvent } from 'preact';
import { memo } from 'preact/compat';
import { kindOf } from './figures.ts';
import { formatMs, formatTime, toWords } from './format.ts';
import { VerdictBadge } from './icons.tsx';
import type { DecisionSummary, Reason } from './wire.ts';

interface RowProperties {
  readonly row: DecisionSummary;
  readonly place: number;
  readonly isTabStop: boolean;
  readonly onOpen: () => void;
}

const REASONS_SHOWN_MAX = 2;

/** One decision as a row that opens it. A row never changes, and so is drawn again only when it moves. */
export const DecisionRow = memo(
  ({ row, place, isTabStop, onOpen }: RowProperties) => {
    const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      onOpen();
    };
    return (
      <div
        class="row"
        role="row"
        tabIndex={isTabStop ? 0 : -1}
        data-place={place}
        aria-rowindex={place + 2}
        onClick={onOpen}
        onKeyDown={onKeyDown}
      >
        <span role="cell" class="cell-time">
          <time dateTime={row.decided_at}>{formatTime(row.decided_at, Date.now())}</time>
        </span>
        <span role="cell" class="cell-verdict">
          <VerdictBadge verdict={row.decision} />
        </span>
        <span role="cell" class="cell-reasons">
          <Reasons reasons={row.reasons} />
          {row.degraded && <span class="tag tag-degraded">degraded</span>}
          {row.label !== null && <span class={`tag tag-${row.label}`}>{toWords(row.label)}</span>}
        </span>
        <span role="cell" class="cell-caller">
          {row.caller}
          {row.entry_point !== 'decide' && <small> via {row.entry_point}</small>}
        </span>
        <span role="cell" class="cell-action">
          {row.action ?? ''}
        </span>
        <span role="cell" class="cell-providers">
          {Object.entries(row.providers).map(([id, { outcome }]) => (
            <span
              key={id}
              class={`provider-mark part-${kindOf(outcome)}`}
              title={`${id}: ${toWords(outcome)}`}
            >
              {id.slice(0, 1).toUpperCase()}
              <span class="visually-hidden">
                {id}: {toWords(outcome)}
              </span>
            </span>
          ))}
        </span>
        <span role="cell" class="cell-latency number">
          {formatMs(row.latency_ms)}
        </span>
      </div>
    );
  },
  (before, after) =>
    before.row === after.row && before.place === after.place && before.isTabStop === after.isTabStop,
);

function Reasons({ reasons }: { readonly reasons: readonly Reason[] }) {
  const codes = [...new Set(reasons.map(({ code }) => code))];
  const isSatisfied = reasons.some(({ satisfied }) => satisfied);
  if (codes.length === 0) return <span class="no-reason">no rule spoke</span>;
  return (
    <>
      {codes.slice(0, REASONS_SHOWN_MAX).map((code) => (
        <span key={code} class="code">
          {code}
        </span>
      ))}
      {codes.length > REASONS_SHOWN_MAX && <span class="more">+{codes.length - REASONS_SHOWN_MAX}</span>}
      {isSatisfied && <span class="tag tag-challenge_passed">step-up</span>}
    </>
  );
}
