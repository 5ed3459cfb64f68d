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
  tellAgain,
  tellContradictions,
  toContradictionPlan,
} from '../../domain/contradictions/find-contradictions.ts';
import { HARDWARE_USE } from '../../domain/contradictions/identity-reuse.ts';
import type { AddressPlace, FoundPlace, ReferenceData } from '../../domain/contradictions/reference-data.ts';
import { ACCEPTED_PLACES } from '../../domain/contradictions/travel.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { numberParameters } from '../../domain/policy/fact-parameters.ts';
import type { SubjectFacts } from '../../domain/policy/subject-fact.ts';
import { TELEMETRY_FACT } from '../../domain/policy/telemetry-signals.ts';
import { hasText, type Subject } from '../../domain/subject.ts';
import { type Gathered, isEvidenceLost } from '../evidence/gather-evidence.ts';
import type { FactSource, KnownEvidence } from '../facts/fact-source.ts';
import { createEvidenceMemo, type Sides } from './evidence-memo.ts';

/** A policy's plan, and what its contradictions came to for evidence that is still kept. */
interface Planned {
  readonly policy: CompiledPolicy;
  readonly plan: ContradictionPlan;
  readonly memo: ReturnType<typeof createEvidenceMemo>;
}

/**
 * Contradictions between pieces of evidence as a fact about the subject. Nothing is asked for them but what
 * other sources tell, so that this one has to come last.
 */
export function createContradictionFacts(reference: ReferenceData): FactSource {
  const plans = new WeakMap<CompiledPolicy, Planned>();
  let latest: Planned | null = null;
  const plannedOf = (policy: CompiledPolicy): Planned => {
    if (latest?.policy === policy) return latest;
    latest = plans.get(policy) ?? toPlanned(policy);
    plans.set(policy, latest);
    return latest;
  };
  const { name } = CONTRADICTIONS_FACT;
  return {
    names: [name],
    ask: ({ subject, policy }) => {
      const planned = plannedOf(policy);
      return (known) => {
        const facts: Record<string, SubjectFacts[string]> = {};
        facts[name] = conclude(planned, subject, known, reference);
        return facts;
      };
    },
  };
}

function toPlanned(policy: CompiledPolicy): Planned {
  const paths = policy.facts.find(({ fact }) => fact === CONTRADICTIONS_FACT)?.paths ?? [];
  const plan = toContradictionPlan(paths, numberParameters(policy.document));
  return { policy, plan, memo: createEvidenceMemo() };
}

function conclude(
  { plan, memo }: Planned,
  subject: Subject,
  { nowMs, facts, gathered }: KnownEvidence,
  reference: ReferenceData,
): SubjectFacts[string] {
  const sides = toSides(gathered);
  const userAgent = hasText(subject.userAgent) ? subject.userAgent : undefined;
  const ip = subject.ipUnreadable === undefined ? subject.ip : null;
  const edition = reference.placesEdition();
  const before = memo.find(sides, userAgent, ip, edition);
  const input: ContradictionInput = {
    // What compares it with the request alone reads it as it is presented, and is remembered.
    evidence: before === null ? presentAll(sides, gathered, subject, nowMs) : sides,
    request: before === null ? readRequest(subject, userAgent, reference) : before.request,
    memory: toMemory(facts, nowMs),
    nowMs,
    params: plan.params,
    reference,
  };
  if (before !== null) return tellAgain(plan, before.told, input);
  const told = tellContradictions(plan, input);
  memo.keep({ sides, userAgent, ip, edition, request: input.request, told });
  return told.value;
}

function readRequest(
  { ip, ipUnreadable }: Subject,
  userAgent: string | undefined,
  reference: ReferenceData,
): ContradictionInput['request'] {
  const lost = ipUnreadable === undefined ? undefined : null;
  return {
    userAgent: userAgent === undefined ? undefined : (reference.userAgentOf(userAgent) ?? undefined),
    ip: ipUnreadable === undefined ? ip : null,
    place: hasText(ip) ? toTold(reference.placeOfAddress(ip)) : lost,
  };
}

/** What no file knows is nothing to compare with, and what could not be looked up is lost. */
function toTold(place: FoundPlace): Told<AddressPlace> {
  return place === 'lost' ? null : (place ?? undefined);
}

function toSides(gathered: readonly Gathered[]): Sides {
  let [stytch, mobilerun, prefactor]: [Side, Side, Side] = ['none', 'none', 'none'];
  for (const piece of gathered) {
    const { id } = piece.slot;
    if (id === 'stytch') stytch = toSide(piece);
    else if (id === 'mobilerun') mobilerun = toSide(piece);
    else if (id === 'prefactor') prefactor = toSide(piece);
  }
  return { stytch, mobilerun, prefactor };
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

function toSide(piece: Gathered): Side {
  return isEvidenceLost(piece) ? 'unknown' : (piece.evidence.signals ?? 'none');
}

function toMemory(facts: SubjectFacts, nowMs: number): MemorySide {
  const telemetry = facts[TELEMETRY_FACT.name];
  const hardware = facts[HARDWARE_USE];
  const account = facts[ACCEPTED_PLACES];
  return {
    places: toPlaces(account),
    placesMissedUntil: toMissed(account),
    hardware: {
      devices: toCount(hardware, 'devices_remembered'),
      accounts: toCount(hardware, 'accounts_remembered'),
    },
    telemetryFirstUsedMs: toFirstUsed(telemetry, nowMs),
  };
}

function toFirstUsed(fact: SubjectFacts[string], nowMs: number): Told<number> {
  const ageSeconds = typeof fact === 'object' ? fact['age_seconds'] : undefined;
  return typeof ageSeconds === 'number' ? nowMs - ageSeconds * 1000 : toAbsence(fact);
}

function toCount(
  fact: SubjectFacts[string],
  name: 'devices_remembered' | 'accounts_remembered',
): Told<number> {
  const count = typeof fact === 'object' ? fact[name] : undefined;
  return typeof count === 'number' ? count : toAbsence(fact);
}

function toPlaces(fact: SubjectFacts[string]): MemorySide['places'] {
  const places = typeof fact === 'object' ? fact['places'] : undefined;
  if (!Array.isArray(places)) return toAbsence(fact);
  // Told by activity alone, whose type it is.
  return places.length === 0 ? undefined : (places as unknown as readonly [AcceptedPlace]);
}

function toMissed(fact: SubjectFacts[string]): number | undefined {
  const missed = typeof fact === 'object' ? fact['missedUntilSeconds'] : undefined;
  return typeof missed === 'number' && missed > 0 ? missed : undefined;
}

function toAbsence(fact: SubjectFacts[string]): undefined | null {
  return fact === 'none' ? undefined : null;
}
