import { kindOf } from './figures.ts';
import { formatAge, formatMs, toWords } from './format.ts';
import { VerdictBadge } from './icons.tsx';
import { isNotGiven, outcomeWords } from './truth.ts';
import type { DecisionDetail, DetailedEvidence, RecordedFact } from './wire.ts';

const SOURCES = {
  memory: 'from the cache of the process',
  redis: 'from the shared cache',
  hit: 'from a cache',
  miss: 'asked for this decision',
  shared: 'shared with a concurrent request',
  none: 'not called',
} as const;

/** Which evidence, how old, from where; and what would have been decided without each provider. */
export function DecisionEvidence({ decision }: { readonly decision: DecisionDetail }) {
  return (
    <>
      <section>
        <h3>Evidence</h3>
        <ul class="evidence">
          {Object.entries(decision.providers).map(([id, use]) => (
            <Piece key={id} id={id} use={use} />
          ))}
          <li class="piece">
            <p class="piece-head">
              <b>custody</b>
              <span>{toWords(decision.custody.result)}</span>
            </p>
            {decision.custody.signals !== null && <Signals signals={decision.custody.signals} />}
          </li>
          <Remembered name="activity" told={decision.activity} />
          <Remembered name="step-up" told={decision.step_up} />
          <Remembered name="lists" told={decision.lists} />
        </ul>
      </section>
      <section>
        <h3>Without each provider</h3>
        <Without decision={decision} />
      </section>
    </>
  );
}

/** What the service itself remembered of the subject; nothing where no rule read it. */
function Remembered({ name, told }: { readonly name: string; readonly told: RecordedFact }) {
  if (told === undefined || told === null) return null;
  return (
    <li class="piece">
      <p class="piece-head">
        <b>{name}</b>
        {typeof told === 'string' && <span>{told}</span>}
      </p>
      {typeof told === 'object' && <Signals signals={told} />}
    </li>
  );
}

function Piece({ id, use }: { readonly id: string; readonly use: DetailedEvidence }) {
  const isCached = use.cache === 'hit';
  return (
    <li class="piece">
      <p class="piece-head">
        <b>{id}</b>
        <span class="piece-outcome">
          <span class={`swatch part-${isNotGiven(use) ? 'not-given' : kindOf(use.outcome)}`} />
          {outcomeWords(use)}
        </span>
        {use.suspect && <span class="tag tag-degraded">suspect</span>}
      </p>
      <p class="piece-facts">
        {isNotGiven(use)
          ? 'The caller gave no such id, which counts as one that nobody knows'
          : SOURCES[use.cache_level ?? use.cache]}
        {isCached && <>, {formatAge(use.age_ms)} old</>}
        {!isCached && use.cache !== 'none' && <>, waited {formatMs(use.latency_ms)}</>}
        {use.request_id !== null && (
          <>
            , its request id <code>{use.request_id}</code>
          </>
        )}
      </p>
      {use.signals !== null && <Signals signals={use.signals} />}
    </li>
  );
}

function Signals({ signals }: { readonly signals: object }) {
  const entries = flatten(signals, '');
  return (
    <details>
      <summary>{entries.length === 1 ? '1 signal' : `${entries.length} signals`}</summary>
      <dl class="signals">
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** An entry of a list by its fields: `blocked 01a2…`. */
function toText(item: unknown): string {
  return typeof item === 'object' && item !== null ? Object.values(item).join(' ') : String(item);
}

/** Nested signals by their paths, as policies read them. */
function flatten(signals: object, prefix: string): [string, string][] {
  return Object.entries(signals).flatMap(([name, value]: [string, unknown]): [string, string][] => {
    const path = `${prefix}${name}`;
    if (Array.isArray(value)) return [[path, value.length === 0 ? 'none' : value.map(toText).join(', ')]];
    if (typeof value === 'object' && value !== null) return flatten(value, `${path}.`);
    return [[path, String(value)]];
  });
}

function Without({ decision: { without, decision: made } }: { readonly decision: DecisionDetail }) {
  if (!without.available)
    return <p class="hint">Not available: {without.why ?? 'the policy has changed since'}.</p>;
  return (
    <ul class="without">
      {without.providers.map((other) => (
        <li key={other.provider}>
          <span>
            without <b>{other.provider}</b>
          </span>
          <VerdictBadge verdict={other.decision} />
          <span class="without-change">
            {other.changes ? `instead of ${made}: ${codesOf(other.reasons)}` : 'the same'}
          </span>
        </li>
      ))}
    </ul>
  );
}

const CODES_SHOWN_MAX = 3;

function codesOf(reasons: readonly { readonly code: string }[]): string {
  const codes = [...new Set(reasons.map(({ code }) => code))];
  if (codes.length === 0) return 'no rule applies';
  const others = codes.length - CODES_SHOWN_MAX;
  return codes.slice(0, CODES_SHOWN_MAX).join(', ') + (others > 0 ? ` and ${others} more` : '');
}
