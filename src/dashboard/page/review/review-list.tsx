import type { Signal } from '@preact/signals';
import type { TargetedKeyboardEvent } from 'preact';
import { isPlain, onActKey } from '../act/act-keys.ts';
import { LABELLED_MAX, notLabelled } from '../act/labels.ts';
import { LabelTag, Reasons } from '../decision-row.tsx';
import { formatTime } from '../format.ts';
import { HashLinks } from '../hash-links.tsx';
import { VerdictBadge } from '../icons.tsx';
import { mayReview } from '../session.ts';
import { go } from '../view-state.ts';
import type { DecisionSummary } from '../wire.ts';
import { claims } from './claims.ts';
import { items } from './queue.ts';

interface ReviewListProperties {
  readonly selected: Signal<ReadonlySet<string>>;
}

/** The decisions of the queue. Keys: j and k move, Enter opens, x selects, f, l and p label. */
export function ReviewList({ selected }: ReviewListProperties) {
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const row = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>('[data-id]') : null;
    const item = items.value.find(({ decision_id: id }) => id === row?.dataset['id']);
    if (row === null || item === undefined || !isPlain(event)) return;
    if (event.key === 'j') focusOn(row.nextElementSibling);
    else if (event.key === 'k') focusOn(row.previousElementSibling);
    else if (event.key === 'x' && mayReview()) toggle(selected, item.decision_id);
    else if (!onActKey(event, item)) return;
    event.preventDefault();
  };
  return (
    <ul class="review-list" aria-label="Decisions of the queue, newest first" onKeyDown={onKeyDown}>
      {items.value.map((item) => (
        <Item key={item.decision_id} item={item} selected={selected} />
      ))}
    </ul>
  );
}

function focusOn(row: Element | null): void {
  row?.querySelector<HTMLElement>('.review-open')?.focus();
}

/** As many are selected as are labelled at once. */
function toggle(selected: ReviewListProperties['selected'], id: string): void {
  const next = new Set(selected.value);
  if (!next.delete(id) && next.size < LABELLED_MAX) next.add(id);
  selected.value = next;
}

function Item({ item, selected }: ReviewListProperties & { readonly item: DecisionSummary }) {
  const { decision_id: id, decided_at: at, subject } = item;
  const claim = claims.value.get(id);
  const time = formatTime(at, Date.now());
  return (
    <li class="review-row" data-id={id}>
      {mayReview() ? (
        <input
          type="checkbox"
          aria-label={`Select the decision of ${time}`}
          checked={selected.value.has(id)}
          onChange={() => toggle(selected, id)}
        />
      ) : (
        <span />
      )}
      <button class="review-open" type="button" onClick={() => go({ decisionId: id })}>
        <time dateTime={at}>{time}</time>
      </button>
      <span>
        <VerdictBadge verdict={item.decision} />
      </span>
      <span class="wide-only">
        <HashLinks
          part="account"
          hashes={subject.account === null ? [] : [subject.account]}
          isTabStop={false}
        />
      </span>
      <span class="wide-only">
        <HashLinks part="device" hashes={subject.devices} isTabStop={false} />
      </span>
      <span class="review-why">
        <Reasons row={item} />
        <LabelTag row={item} />
        {notLabelled.value.has(id) && <span class="tag tag-fraud">not labelled</span>}
      </span>
      <span class="review-claim">
        {claim !== undefined && <span class="tag">{claim.is_mine ? 'yours' : claim.name}</span>}
      </span>
    </li>
  );
}
