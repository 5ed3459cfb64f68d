import type {
  AcceptedPlace,
  ContradictionInput,
  MemorySide,
  Side,
  Told,
} from '../../domain/contradictions/contradiction.ts';
import { CONTRADICTIONS_FACT } from '../../domain/contradictions/contradiction-signals.ts';
import {
  type ContradictionPlan,
  findContradictions,
  retellContradictions,
  toContradictionPlan,
  toContradictionSignals,
} from '../../domain/contradictions/find-contradictions.ts';
import { HARDWARE_USE } from '../../domain/contradictions/identity-reuse.ts';
import type { AddressPlace, FoundPlace, ReferenceData } from '../../domain/contradictions/reference-data.ts';
import { ACCEPTED_PLACES } from '../../domain/contradictions/travel.ts';
import { isDefinite } from '../../domain/evidence.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { numberParameters } from '../../domain/policy/fact-parameters.ts';
import type { SubjectFacts } from '../../domain/policy/subject-fact.ts';
import { TELEMETRY_FACT } from '../../domain/policy/telemetry-signals.ts';
import { hasText, type Subject } from '../../domain/subject.ts';
import type { Gathered } from '../evidence/gather-evidence.ts';
import type { FactSource, KnownEvidence } from '../facts/fact-source.ts';
import { createEvidenceMemo, isLasting, type KnownFindings, type Sides } from './evidence-memo.ts';

/** A policy's plan, and what its contradictions came to for evidence that is still kept. */
interface Planned {
  readonly plan: ContradictionPlan;
  readonly lasting: readonly boolean[];
  readonly memo: ReturnType<typeof createEvidenceMemo>;
}

/**
 * Contradictions between pieces of evidence as a fact about the subject. Nothing is asked for them but what
 * other sources tell, so that this one has to come last.
 */
export function createContradictionFacts(reference: ReferenceData): FactSource {
  const plans = new WeakMap<CompiledPolicy, Planned>();
  const plannedOf = (policy: CompiledPolicy): Planned => {
    let planned = plans.get(policy);
    if (planned === undefined) {
      planned = toPlanned(policy);
      plans.set(policy, planned);
    }
    return planned;
  };
  return {
    names: [CONTRADICTIONS_FACT.name],
    ask: ({ subject, policy }) => {
      const planned = plannedOf(policy);
      return (known) => ({ [CONTRADICTIONS_FACT.name]: conclude(planned, subject, known, reference) });
    },
  };
}

function toPlanned(policy: CompiledPolicy): Planned {
  const paths = policy.facts.find(({ fact }) => fact === CONTRADICTIONS_FACT)?.paths ?? [];
  const plan = toContradictionPlan(paths, numberParameters(policy.document));
  return { plan, lasting: plan.wanted.map(isLasting), memo: createEvidenceMemo() };
}

function conclude(
  { plan, lasting, memo }: Planned,
  subject: Subject,
  known: KnownEvidence,
  reference: ReferenceData,
): SubjectFacts[string] {
  const { nowMs, facts, gathered } = known;
  const sides: Sides = {
    stytch: sideOf('stytch', gathered),
    mobilerun: sideOf('mobilerun', gathered),
    prefactor: sideOf('prefactor', gathered),
  };
  const userAgent = hasText(subject.userAgent) ? subject.userAgent : undefined;
  const ip = subject.ipUnreadable === undefined ? subject.ip : null;
  const edition = reference.placesEdition();
  const before = memo.find(sides, userAgent, ip, edition);
  const request = before ?? readRequest(subject, userAgent, reference);
  const input: ContradictionInput = {
    // What compares it with the request alone reads it as it is presented, and is remembered.
    evidence: before === null ? presentAll(sides, gathered, subject, nowMs) : sides,
    request: { userAgent: request.names, ip, place: request.place },
    memory: toMemory(facts, nowMs),
    nowMs,
    params: plan.params,
    reference,
  };
  const findings = findContradictions(plan, input, before?.lasting ?? NOTHING_KNOWN);
  if (before !== null)
    return retellContradictions(plan, findings, before) ?? toContradictionSignals(plan, findings);
  const value = toContradictionSignals(plan, findings);
  const kept = findings.map((finding, place) => (lasting[place] === true ? finding : undefined));
  memo.keep({ sides, userAgent, ip, edition, ...request, findings, lasting: kept, value });
  return value;
}

function readRequest(
  { ip, ipUnreadable }: Subject,
  userAgent: string | undefined,
  reference: ReferenceData,
): Pick<KnownFindings, 'names' | 'place'> {
  const lost = ipUnreadable === undefined ? undefined : null;
  return {
    names: userAgent === undefined ? undefined : (reference.userAgentOf(userAgent) ?? undefined),
    place: hasText(ip) ? toTold(reference.placeOfAddress(ip)) : lost,
  };
}

/** What no file knows is nothing to compare with, and what could not be looked up is lost. */
function toTold(place: FoundPlace): Told<AddressPlace> {
  return place === 'lost' ? null : (place ?? undefined);
}

const NOTHING_KNOWN: KnownFindings['lasting'] = [];

function sideOf(provider: keyof Sides, gathered: readonly Gathered[]): Side {
  for (const piece of gathered) if (piece.slot.id === provider) return toSide(piece);
  return 'none';
}

/** With what comparing it with the request gives. */
function presentAll(
  { stytch, mobilerun, prefactor }: Sides,
  gathered: readonly Gathered[],
  { ip, userAgent }: Subject,
  nowMs: number,
): Sides {
  const present = (provider: keyof Sides, side: Side): Side => {
    if (typeof side === 'string') return side;
    const source = gathered.find(({ slot }) => slot.id === provider)?.slot.source;
    return source?.present(side, nowMs, { ip, userAgent }) ?? side;
  };
  return {
    stytch: present('stytch', stytch),
    mobilerun: present('mobilerun', mobilerun),
    prefactor: present('prefactor', prefactor),
  };
}

/** An answer that a provider gives for every id is none. */
function toSide({ slot, evidence: { outcome, signals }, origin }: Gathered): Side {
  if (!isDefinite(outcome)) return 'unknown';
  const isDoubted = outcome === 'not_found' && origin !== 'none' && slot.source?.isSuspect() === true;
  return isDoubted ? 'unknown' : (signals ?? 'none');
}

function toMemory(facts: SubjectFacts, nowMs: number): MemorySide {
  const telemetry = facts[TELEMETRY_FACT.name];
  const hardware = facts[HARDWARE_USE];
  const ageSeconds = fieldOf(telemetry, 'age_seconds');
  return {
    ...toPlaces(facts[ACCEPTED_PLACES]),
    hardware: {
      devices: toCount(hardware, 'devices_remembered'),
      accounts: toCount(hardware, 'accounts_remembered'),
    },
    telemetryFirstUsedMs: typeof ageSeconds === 'number' ? nowMs - ageSeconds * 1000 : toAbsence(telemetry),
  };
}

function toCount(fact: SubjectFacts[string], name: string): Told<number> {
  const count = fieldOf(fact, name);
  return typeof count === 'number' ? count : toAbsence(fact);
}

function toPlaces(fact: SubjectFacts[string]): Pick<MemorySide, 'places' | 'placesMissedUntil'> {
  const places = fieldOf(fact, 'places');
  if (!Array.isArray(places)) return { places: toAbsence(fact) };
  const missed = fieldOf(fact, 'missedUntilSeconds');
  return {
    // Told by activity alone, whose type it is.
    places: places.length === 0 ? undefined : (places as unknown as readonly [AcceptedPlace]),
    ...(typeof missed === 'number' && missed > 0 && { placesMissedUntil: missed }),
  };
}

function fieldOf(fact: SubjectFacts[string], name: string): unknown {
  return typeof fact === 'object' ? Reflect.get(fact, name) : undefined;
}

function toAbsence(fact: SubjectFacts[string]): undefined | null {
  return fact === 'none' ? undefined : null;
}
