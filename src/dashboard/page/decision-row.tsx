import type { TargetedKeyboardEvent } from 'preact';
import { memo } from 'preact/compat';
import { onActKey } from './act/act-keys.ts';
import { LabelButtons } from './act/label-buttons.tsx';
import { labelOf } from './act/labels.ts';
import { kindOf } from './figures.ts';
import { formatMs, formatTime, toWords } from './format.ts';
import { HashLinks } from './hash-links.tsx';
import { VerdictBadge } from './icons.tsx';
import { isNotGiven, outcomeWords, type Standing, stateReasons } from './truth.ts';
import type { DecisionSummary } from './wire.ts';

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
    return (
      <div
        class="row"
        role="row"
        tabIndex={isTabStop ? 0 : -1}
        data-place={place}
        aria-rowindex={place + 2}
        onClick={onOpen}
        onKeyDown={(event) => onKey(event, row, onOpen)}
      >
        <span role="cell" class="cell-time">
          <time dateTime={row.decided_at}>{formatTime(row.decided_at, Date.now())}</time>
        </span>
        <span role="cell" class="cell-verdict">
          <VerdictBadge verdict={row.decision} />
        </span>
        <span role="cell" class="cell-account">
          <HashLinks part="account" hashes={toList(row.subject.account)} isTabStop={isTabStop} />
        </span>
        <span role="cell" class="cell-device">
          <HashLinks part="device" hashes={row.subject.devices} isTabStop={isTabStop} />
        </span>
        <span role="cell" class="cell-reasons">
          <Reasons row={row} />
          <LabelTag row={row} />
        </span>
        <span role="cell" class="cell-caller">
          {row.caller}
          {row.entry_point !== 'decide' && <small> via {row.entry_point}</small>}
          {row.action !== null && <small> · {row.action}</small>}
        </span>
        <span role="cell" class="cell-providers">
          {Object.entries(row.providers).map(([id, use]) => (
            <span
              key={id}
              class={`provider-mark part-${isNotGiven(use) ? 'not-given' : kindOf(use.outcome)}`}
              title={`${id}: ${outcomeWords(use)}`}
            >
              {id.slice(0, 1).toUpperCase()}
              <span class="visually-hidden">
                {id}: {outcomeWords(use)}
              </span>
            </span>
          ))}
        </span>
        <span role="cell" class="cell-latency number">
          {formatMs(row.latency_ms)}
          <LabelButtons decisions={[row]} isSmall isTabStop={isTabStop} />
        </span>
      </div>
    );
  },
  (before, after) =>
    before.row === after.row && before.place === after.place && before.isTabStop === after.isTabStop,
);

/** Acts on the decision that the row shows: those that arrive move the places before they are drawn. */
function onKey(event: TargetedKeyboardEvent<HTMLElement>, row: DecisionSummary, open: () => void): void {
  if (onActKey(event, row)) return;
  // A link in the row is followed by itself.
  if (event.target !== event.currentTarget) return;
  if (event.key !== 'Enter' && event.key !== ' ') return;
  event.preventDefault();
  open();
}

/** The label in force, also of a row that was read before it was given. */
export function LabelTag({ row }: { readonly row: DecisionSummary }) {
  const label = labelOf(row);
  return label === null ? null : <span class={`tag tag-${label}`}>{toWords(label)}</span>;
}

/** What a chip says beside its code. */
const SAID: Readonly<Record<Standing, string>> = {
  true: '',
  unknown: 'could not be ruled out: ',
  waived: 'could not be ruled out, and the policy lets that pass: ',
};

/** Why, in a few chips. */
export function Reasons({ row }: { readonly row: DecisionSummary }) {
  const stated = stateReasons(row);
  const isSatisfied = row.reasons.some(({ satisfied }) => satisfied);
  if (stated.length === 0) return <span class="no-reason">no rule applied</span>;
  return (
    <>
      {stated.slice(0, REASONS_SHOWN_MAX).map(({ code, standing, because }) => (
        <span
          key={code}
          class={`code code-${standing}`}
          title={because === null ? code : `${code} ${SAID[standing]}${because}`}
        >
          {code}
          {because !== null && (
            <span class="visually-hidden">
              {' '}
              {SAID[standing]}
              {because}
            </span>
          )}
        </span>
      ))}
      {stated.length > REASONS_SHOWN_MAX && <span class="more">+{stated.length - REASONS_SHOWN_MAX}</span>}
      {isSatisfied && <span class="tag tag-challenge_passed">step-up</span>}
    </>
  );
}

function toList(hash: string | null): readonly string[] {
  return hash === null ? [] : [hash];
}
