import { useSignal } from '@preact/signals';
import type { FilterName } from './address.ts';
import { toWords } from './format.ts';
import { Icon } from './icons.tsx';
import { PART_NAMES } from './part-names.ts';
import { shortPolicyHash } from './policy-markers.ts';
import { statistics } from './statistics.ts';
import { address, clearFilters, isFiltered, setFilter } from './view-state.ts';
import { type PolicyInForce, VERDICTS } from './wire.ts';

const OUTCOMES = [
  'ok',
  'not_found',
  'not_given',
  'unsupported',
  'timeout',
  'unavailable',
  'rate_limited',
  'circuit_open',
  'unauthorized',
  'invalid_request',
  'malformed',
  'skipped',
];

const NAMES: Readonly<Record<FilterName, string>> = {
  decision: 'Decision',
  reason: 'Reason',
  rule: 'Rule',
  label: 'Label',
  provider_outcome: 'Outcome',
  caller: 'Caller',
  entry_point: 'Entry point',
  action: 'Action',
  degraded: 'Degraded',
  policy: 'Policy',
  transition: 'Candidate',
  country: 'Country',
  asn: 'Network (ASN)',
  ...PART_NAMES,
  since: 'Since',
  until: 'Until',
};

/** What a decision turned out to be; `none` of those nobody has told. */
const LABELS = ['legit', 'fraud', 'challenge_passed', 'challenge_failed', 'none'];

/** The filters of the list, with the names that the policy in force has. */
export function FilterBar({ policy }: { readonly policy: PolicyInForce }) {
  const isOpen = useSignal(false);
  return (
    <div class="filters">
      <div class="filter-line">
        <DecisionFilter />
        <Choice name="reason" values={reasonsOf(policy)} />
        <OutcomeFilter />
        <Choice name="caller" values={callers()} />
        <button
          class="button button-quiet"
          type="button"
          aria-expanded={isOpen.value}
          aria-controls="more-filters"
          onClick={() => {
            isOpen.value = !isOpen.value;
          }}
        >
          {isOpen.value ? 'Fewer filters' : 'More filters'}
        </button>
      </div>
      <div class="filter-line" id="more-filters" hidden={!isOpen.value}>
        <Choice name="degraded" values={['true', 'false']} />
        <TextFilter name="action" pattern="[A-Za-z0-9_.\-]{1,64}" />
        <TextFilter name="entry_point" pattern="[a-z][a-z0-9_\-]{0,63}" />
        <TextFilter name="policy" pattern="[a-z][a-z0-9\-]{0,63}|sha256:[0-9a-f]{64}" />
        <TextFilter
          name="rule"
          pattern="([a-z][a-z0-9\-]{0,63}|[A-Z][A-Z0-9_]{0,63})(:(true|unknown|waived|satisfied))?"
        />
        <Choice name="label" values={LABELS} />
        <TextFilter name="country" pattern="[A-Z]{2}|none" />
        <TextFilter name="asn" pattern="[1-9][0-9]{0,9}|none" />
        <TimeFilter name="since" />
        <TimeFilter name="until" />
      </div>
      <Chips />
    </div>
  );
}

function reasonsOf({ document }: PolicyInForce): readonly string[] {
  return [...new Set(document.rules.map(({ reason }) => reason))].toSorted();
}

function callers(): readonly string[] {
  return Object.keys(statistics.value?.callers.totals.counts ?? {}).toSorted();
}

function DecisionFilter() {
  const { decision = '' } = address.value.filters;
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">Decision</legend>
      {['', ...VERDICTS].map((value) => (
        <label key={value} class="segment">
          <input
            type="radio"
            name="decision"
            checked={decision === value}
            onChange={() => setFilter('decision', value)}
          />
          <span>{value === '' ? 'All' : value.charAt(0) + value.slice(1).toLowerCase()}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Choice({ name, values }: { readonly name: FilterName; readonly values: readonly string[] }) {
  const current = address.value.filters[name] ?? '';
  // A value from the address may be one that the present policy or window does not know.
  const all = current === '' || values.includes(current) ? values : [current, ...values];
  return (
    <label class="choice">
      <span class="visually-hidden">{NAMES[name]}</span>
      <select value={current} onChange={(event) => setFilter(name, event.currentTarget.value)}>
        <option value="">{NAMES[name]}: any</option>
        {all.map((value) => (
          <option key={value} value={value}>
            {name === 'degraded' ? (value === 'true' ? 'Degraded only' : 'Not degraded') : value}
          </option>
        ))}
      </select>
    </label>
  );
}

function OutcomeFilter() {
  const current = address.value.filters.provider_outcome ?? '';
  const providers = statistics.value?.providers.map(({ id }) => id) ?? [];
  const isListed = OUTCOMES.some((outcome) => current === outcome || current.endsWith(`/${outcome}`));
  return (
    <label class="choice">
      <span class="visually-hidden">Provider outcome</span>
      <select value={current} onChange={(event) => setFilter('provider_outcome', event.currentTarget.value)}>
        <option value="">Outcome: any</option>
        {current !== '' && !isListed && <option value={current}>{current}</option>}
        <optgroup label="Any provider">
          {OUTCOMES.map((outcome) => (
            <option key={outcome} value={outcome}>
              {toWords(outcome)}
            </option>
          ))}
        </optgroup>
        {providers.map((provider) => (
          <optgroup key={provider} label={provider}>
            {OUTCOMES.map((outcome) => (
              <option key={outcome} value={`${provider}/${outcome}`}>
                {provider}: {toWords(outcome)}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

function TextFilter({ name, pattern }: { readonly name: FilterName; readonly pattern: string }) {
  return (
    <label class="choice">
      <span class="visually-hidden">{NAMES[name]}</span>
      <input
        type="text"
        placeholder={NAMES[name]}
        pattern={pattern}
        spellcheck={false}
        value={address.value.filters[name] ?? ''}
        onChange={(event) => {
          if (event.currentTarget.reportValidity()) setFilter(name, event.currentTarget.value.trim());
        }}
      />
    </label>
  );
}

function TimeFilter({ name }: { readonly name: 'since' | 'until' }) {
  return (
    <label class="choice choice-time">
      <span>{NAMES[name]}</span>
      <input
        type="datetime-local"
        step={1}
        value={toLocal(address.value.filters[name])}
        onChange={(event) => {
          const timeMs = Date.parse(event.currentTarget.value);
          setFilter(name, Number.isFinite(timeMs) ? new Date(timeMs).toISOString() : undefined);
        }}
      />
    </label>
  );
}

/** A time as the browser's own field wants it: local, without a zone. */
function toLocal(iso: string | undefined): string {
  const timeMs = Date.parse(iso ?? '');
  if (!Number.isFinite(timeMs)) return '';
  return new Date(timeMs - new Date(timeMs).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** What narrows the list down, each with a button that takes it away. */
export function Chips() {
  if (!isFiltered.value) return null;
  const given = Object.entries(address.value.filters) as [FilterName, string][];
  return (
    <div class="chips">
      {given.map(([name, value]) => (
        <Chip key={name} name={NAMES[name]} value={value} onRemove={() => setFilter(name, undefined)} />
      ))}
      <button class="button button-quiet" type="button" onClick={clearFilters}>
        Clear all
      </button>
    </div>
  );
}

interface ChipProperties {
  readonly name: string;
  readonly value: string;
  readonly onRemove: () => void;
}

function Chip({ name, value, onRemove }: ChipProperties) {
  return (
    <span class="chip">
      <span class="chip-text" title={value}>
        {name}: <b>{value.replace(/sha256:[0-9a-f]{64}/, shortPolicyHash)}</b>
      </span>
      <button type="button" aria-label={`Remove the filter ${name}`} onClick={onRemove}>
        <Icon name="close" />
      </button>
    </span>
  );
}
