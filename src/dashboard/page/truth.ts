import { kindOf } from './figures.ts';
import type { Counts, DecisionSummary, EvidenceUse, Reason } from './wire.ts';

/**
 * How sure a reason is: its rule was `true`; it was `unknown`, that is it could not be ruled out; or that was
 * so and the policy let it pass (`waived`).
 */
export const STANDINGS = ['true', 'unknown', 'waived'] as const;

/** One of them. */
export type Standing = (typeof STANDINGS)[number];

/** A reason code of one decision. */
interface StatedReason {
  readonly code: string;
  readonly standing: Standing;
  /** What evidence was missing, for a person; null where the rule was true. */
  readonly because: string | null;
}

type Judged = Pick<DecisionSummary, 'reasons' | 'waivers' | 'providers'>;

/** The reason codes of a decision, each once as its surest rule has it, the surest first. */
export function stateReasons({ reasons, waivers, providers }: Judged): readonly StatedReason[] {
  const stated = new Map<string, StatedReason>();
  const state = (standing: Standing, reason: Pick<Reason, 'code' | 'providers'>) => {
    if (stated.has(reason.code)) return;
    const because = standing === 'true' ? null : causeOf(reason.providers, providers);
    stated.set(reason.code, { code: reason.code, standing, because });
  };
  for (const reason of reasons) if (reason.certain) state('true', reason);
  for (const reason of reasons) if (!reason.certain) state('unknown', reason);
  for (const waiver of waivers) state('waived', waiver);
  return [...stated.values()];
}

const NO_EVIDENCE = 'evidence was missing';

function causeOf(ids: readonly string[], uses: Judged['providers']): string {
  const causes = ids.flatMap((id) => {
    const use = uses[id];
    if (use === undefined) return [];
    if (kindOf(use.outcome) === 'failed') return [tellLoss(id, use.outcome)];
    return use.suspect ? [`${toName(id)} is suspect`] : [];
  });
  return causes.length === 0 ? NO_EVIDENCE : causes.join(', ');
}

const LOSSES: Readonly<Record<string, string>> = {
  timeout: 'timed out',
  unavailable: 'was unavailable',
  rate_limited: 'took no more questions',
  unauthorized: 'refused our key',
  invalid_request: 'could not be asked with what was given',
  malformed: 'gave no readable answer',
  circuit_open: 'was not called, since its circuit was open',
  skipped: 'was skipped',
  suspect: 'is suspect',
};

function tellLoss(provider: string, outcome: string): string {
  const loss = LOSSES[outcome];
  return loss === undefined ? `${toName(provider)}: ${outcome}` : `${toName(provider)} ${loss}`;
}

function toName(provider: string): string {
  return provider.charAt(0).toUpperCase() + provider.slice(1);
}

/**
 * Why a rule was unknown, for a person: `prefactor timeout, stytch suspect` of a record as `Prefactor timed out,
 * Stytch is suspect`. What is no loss of a provider stays as it is.
 */
export function tellWhy(why: string): string {
  const told = why.split(', ').map((cause) => {
    const [, provider, outcome] = /^([a-z][a-z0-9_-]*) ([a-z_]+)$/.exec(cause) ?? [];
    const isLoss = provider !== undefined && outcome !== undefined && outcome in LOSSES;
    return isLoss ? tellLoss(provider, outcome) : cause.replaceAll('_', ' ');
  });
  return told.join(', ');
}

/** True where a provider was to be asked about an id that the caller did not give. */
export function isNotGiven({ outcome, cache }: Pick<EvidenceUse, 'outcome' | 'cache'>): boolean {
  return outcome === 'not_found' && cache === 'none';
}

/** How a provider ended, for a person. A missing id is judged as one that nobody knows, but nobody was asked. */
export function outcomeWords(use: Pick<EvidenceUse, 'outcome' | 'cache'>): string {
  return isNotGiven(use) ? 'not given' : use.outcome.replaceAll('_', ' ');
}

/** A reason code with the decisions in which it was true, unknown and waived. */
export interface ReasonCounts extends Readonly<Record<Standing, number>> {
  readonly code: string;
}

/** Told apart what `GET /v1/stats?group_by=reason` counts as `CODE`, `CODE:unknown` and `CODE:waived`; the most first. */
export function countApart(counts: Counts, max: number): readonly ReasonCounts[] {
  const codes = new Map<string, Record<Standing, number>>();
  for (const [name, count] of Object.entries(counts)) {
    const [code = '', result = 'true'] = name.split(':');
    // Of what a step-up satisfied each is counted as true or unknown too.
    const standing = STANDINGS.find((one) => one === result);
    if (standing === undefined || count === 0) continue;
    const known = codes.get(code) ?? { true: 0, unknown: 0, waived: 0 };
    codes.set(code, known);
    known[standing] += count;
  }
  const sum = (each: ReasonCounts) => each.true + each.unknown + each.waived;
  return [...codes]
    .map(([code, each]) => ({ code, ...each }))
    .sort((left, right) => sum(right) - sum(left) || left.code.localeCompare(right.code))
    .slice(0, max);
}
