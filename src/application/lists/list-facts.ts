import type { Signals } from '../../domain/evidence.ts';
import { LIST_PARTS, type ListPart } from '../../domain/lists/list-part.ts';
import type { ListHit, ListTable } from '../../domain/lists/list-table.ts';
import {
  addressWords,
  asnWords,
  countryWords,
  hashWords,
  type Words,
} from '../../domain/lists/value-words.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { findListReads, type ListRead } from '../../domain/policy/list-reads.ts';
import { LISTED_ENTRIES, LISTS_FACT } from '../../domain/policy/list-signals.ts';
import type { SubjectFacts } from '../../domain/policy/subject-fact.ts';
import { hasText, type Subject } from '../../domain/subject.ts';
import type { RecordHashes } from '../decision-log/to-decision-record.ts';
import { type Gathered, isEvidenceLost } from '../evidence/gather-evidence.ts';
import type { FactSource, KnownEvidence } from '../facts/fact-source.ts';
import type { ListStore } from './list-store.ts';

interface ListFactsOptions {
  readonly store: Pick<ListStore, 'table' | 'isTrusted'>;
  /** Under each known hash key. */
  readonly hashes: readonly RecordHashes[];
}

/** What one decision has of a part: values to look for, or nothing that can be known. */
type Found = readonly ListHit[] | 'unknown';

/** What is prepared for a policy. */
interface Plan {
  readonly reads: readonly ListRead[];
  readonly parts: readonly ListPart[];
  /** Every list that is read, with nothing on it. */
  readonly nothing: SubjectFacts;
}

const NONE: readonly ListHit[] = [];

/**
 * Lists as a fact about the subject: for each list and part that the policy reads, whether the list has it. A
 * part that was not given is on no list. A part that evidence should have told and did not is unknown, where
 * the list has any entry of that part. Without hearing of changes for a minute what is on a list stays there,
 * unless that could make an answer milder, and everything else is unknown.
 */
export function createListFacts({ store, hashes }: ListFactsOptions): FactSource {
  const { table } = store;
  const plans = new WeakMap<CompiledPolicy, Plan>();
  const planOf = (policy: CompiledPolicy): Plan => {
    const known = plans.get(policy);
    if (known !== undefined) return known;
    const plan = toPlan(policy);
    plans.set(policy, plan);
    return plan;
  };
  return {
    names: [LISTS_FACT.name],
    ask: ({ subject, policy }) => {
      const plan = planOf(policy);
      return (known) => {
        if (table.size === 0 && store.isTrusted()) return plan.nothing;
        const found = new Map<ListPart, Found>();
        for (const part of plan.parts) found.set(part, findPart(part, subject, known, table, hashes));
        return conclude(plan, found, table, store.isTrusted());
      };
    },
  };
}

function toPlan(policy: CompiledPolicy): Plan {
  const reads = findListReads(policy);
  const nothing = Object.fromEntries(
    reads.map(({ list, parts }) => [
      list,
      Object.freeze(Object.fromEntries(parts.map((part) => [part, false]))),
    ]),
  );
  return {
    reads,
    parts: LIST_PARTS.filter((part) => reads.some(({ parts }) => parts.includes(part))),
    nothing: Object.freeze({ [LISTS_FACT.name]: Object.freeze(nothing) }),
  };
}

function conclude(
  plan: Plan,
  found: ReadonlyMap<ListPart, Found>,
  table: ListTable,
  isTrusted: boolean,
): SubjectFacts {
  const lists: Record<string, Record<string, boolean>> = {};
  const entries: string[] = [];
  let isPlain = true;
  for (const read of plan.reads) {
    const signals: Record<string, boolean> = {};
    for (const part of read.parts) {
      const hits = found.get(part) ?? NONE;
      const hit = hits === 'unknown' ? undefined : hits.find(({ list }) => list === read.list);
      const isListed = judge(read, part, { hits, hit, table, isTrusted });
      if (isListed !== null) signals[part] = isListed;
      isPlain &&= isListed === false;
      if (isListed === true && hit !== undefined) entries.push(`${hit.list}/${hit.entryId}`);
    }
    lists[read.list] = signals;
  }
  // One object for most decisions: their records share its text.
  if (isPlain) return plan.nothing;
  if (!isTrusted && entries.length === 0) return { [LISTS_FACT.name]: 'unknown' };
  return { [LISTS_FACT.name]: entries.length === 0 ? lists : { ...lists, [LISTED_ENTRIES]: entries } };
}

interface Findings {
  readonly hits: Found;
  readonly hit: ListHit | undefined;
  readonly table: ListTable;
  readonly isTrusted: boolean;
}

/** Whether the part is on the list; null where that is not known. */
function judge(
  { list, grants }: ListRead,
  part: ListPart,
  { hits, hit, table, isTrusted }: Findings,
): boolean | null {
  if (hit !== undefined) return isTrusted || !grants ? true : null;
  if (!isTrusted) return null;
  if (hits === 'unknown') return table.count(list, part) === 0 ? false : null;
  return table.unmatched(list, part) === 0 ? false : null;
}

function findPart(
  part: ListPart,
  subject: Subject,
  known: KnownEvidence,
  table: ListTable,
  hashes: readonly RecordHashes[],
): Found {
  const { gathered, nowMs } = known;
  const find = (words: Words | null) => (words === null ? NONE : table.find(part, words, nowMs));
  const findIds = (ids: readonly string[], hash: (under: RecordHashes, id: string) => string) =>
    ids.flatMap((id) => hashes.flatMap((under) => find(hashWords(hash(under, id)))));
  switch (part) {
    case 'device':
      return findIds(devicesOf(subject), (under, id) => under.device(id));
    case 'account':
      return findIds([subject.accountId].filter(hasText), (under, id) => under.account(id));
    case 'telemetry':
      return findIds([subject.telemetryId].filter(hasText), (under, id) => under.telemetry(id));
    case 'ip':
      return findAddress(subject, table, hashes, nowMs);
    case 'visitor':
      return told(gathered, visitorOf, (visitor) => findVisitor(visitor, find, hashes));
    case 'asn':
      return told(gathered, asnOf, (asn) => find(asnWords(asn)));
    case 'country':
      return told(gathered, countryOf, (country) => find(countryWords(country)));
  }
}

function devicesOf({ device }: Subject): readonly string[] {
  return device.kind === 'shared' ? [device.id].filter(hasText) : [...device.ids.values()].filter(hasText);
}

/** An address is on a list as itself, as its /64 where it is IPv6, or in a wider network. */
function findAddress(
  { ip, ipUnreadable }: Subject,
  table: ListTable,
  hashes: readonly RecordHashes[],
  nowMs: number,
): Found {
  if (ipUnreadable !== undefined) return 'unknown';
  if (!hasText(ip)) return NONE;
  const address = addressWords(ip);
  const hits = address === null ? [] : [...table.findNetworks(address, nowMs)];
  for (const under of hashes)
    for (const hash of new Set([under.ip(ip), under.network(ip)])) {
      const words = hashWords(hash);
      if (words !== null) hits.push(...table.find('ip', words, nowMs));
    }
  return hits;
}

type Tell<Value> = (piece: Gathered, signals: Signals) => Value | null;

/**
 * As the first provider says that tells it, in registry order. Unknown where one before it, which may have told
 * another value, is lost.
 */
function told<Value>(gathered: readonly Gathered[], tell: Tell<Value>, find: (value: Value) => Found): Found {
  for (const piece of gathered) {
    if (isEvidenceLost(piece)) return 'unknown';
    const { signals } = piece.evidence;
    const value = signals === null ? null : tell(piece, signals);
    if (value !== null) return find(value);
  }
  return NONE;
}

/** What evidence calls the visitor: under the key in force, and under others. */
interface VisitorNames {
  readonly hash: string;
  readonly others: Readonly<Record<string, string>>;
}

function visitorOf({ slot, evidence }: Gathered, signals: Signals): VisitorNames | null {
  const hash = slot.source?.visitorOf(signals) ?? null;
  return hash === null ? null : { hash, others: evidence.otherNames?.[hash] ?? {} };
}

/** Unknown where evidence has no name under some key, under which the visitor may be on a list. */
function findVisitor(
  { hash, others }: VisitorNames,
  find: (words: Words | null) => readonly ListHit[],
  hashes: readonly RecordHashes[],
): Found {
  const names = hashes.map(({ keyId }, place) => (place === 0 ? hash : others[keyId]));
  const hits = names.flatMap((name) => (name === undefined ? NONE : find(hashWords(name))));
  return hits.length === 0 && names.includes(undefined) ? 'unknown' : hits;
}

function asnOf(_piece: Gathered, signals: Signals): number | null {
  const asn = signals['asn'];
  return typeof asn === 'number' ? asn : null;
}

function countryOf(_piece: Gathered, signals: Signals): string | null {
  const country = signals['country'];
  return typeof country === 'string' ? country : null;
}
