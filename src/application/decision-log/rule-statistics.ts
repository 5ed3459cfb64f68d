import { type EstimatedShare, estimateShare } from '../../domain/decision-log/estimate-share.ts';
import { type DelayedLabel, fromLabelledText } from '../../domain/decision-log/group-keys.ts';
import { decisiveRule, fromJudgedText, type Judged } from '../../domain/decision-log/judged.ts';
import { medianDelayMs } from '../../domain/decision-log/label-delay.ts';
import { sidesOf } from '../../domain/decision-log/outcome-label.ts';
import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';
import type { PolicyDocument } from '../../domain/policy/document.ts';
import type { DecisionLogReader } from './decision-log.ts';
import type { KnownPolicies } from './known-policies.ts';
import type { StatsWindow } from './plan-window.ts';

/** How well a rule does, of the decisions that were looked at. */
export interface RulePerformance {
  /** Decisions that would have come to another verdict without it; see decisiveRule. */
  readonly decisive: number;
  /** Of decisions in which it was true: what they turned out to be. */
  readonly labels: Readonly<Record<string, number>>;
  /** Of those that turned out one way or the other: the share of fraud. */
  readonly precision: EstimatedShare;
  /** Of all decisions that turned out to be fraud: the share in which it was true. */
  readonly recall: EstimatedShare;
  /** Of those in which it was true that were a CHALLENGE and were ended: the share that was passed. */
  readonly challengePass: EstimatedShare;
  /** Of labelled decisions in which it was true, milliseconds; null without any. */
  readonly medianDelayMs: number | null;
}

/** How well all rules do. */
export interface RuleStatistics {
  /** By the id of the rule: those that were true, unknown or waived in some decision. */
  readonly rules: ReadonlyMap<string, RulePerformance>;
  /** That of any other rule. */
  readonly none: RulePerformance;
  readonly total: number;
  /** What decisions turned out to be, whatever their rules. */
  readonly labels: Readonly<Record<string, number>>;
  /** Decisions that count in no `decisive`, since the text of their policy is not known. */
  readonly undecided: number;
  /** The documents by which the others were looked at, the most frequent first. */
  readonly policies: readonly PolicyDocument[];
  /** Decisions that were not looked at, of kinds that are too rare among too many. */
  readonly omitted: number;
  /** See GroupedDecisions. */
  readonly coveredFromMs: number | null;
}

interface RuleStatisticsOptions {
  readonly reader: Pick<DecisionLogReader, 'group'>;
  readonly policies: Pick<KnownPolicies, 'find'>;
  /** RFC 3339 in UTC with milliseconds, of Unix milliseconds. */
  readonly formatTime: (unixMs: number) => string;
}

/** Kinds of decisions that one answer tells apart: each with its rules, its policy, its label and the time of it. */
const KINDS_MAX = 20_000;
/** Policies whose texts are read for one answer: those that stay compiled. */
const POLICIES_MAX = 16;

interface Kind {
  readonly judged: Judged;
  readonly label: DelayedLabel | null;
  readonly count: number;
}

/** How the rules did in the decisions of a window that match a filter. Rejects with `store_unavailable`. */
export async function ruleStatistics(
  { reader, policies, formatTime }: RuleStatisticsOptions,
  { sinceMs, untilMs }: Pick<StatsWindow, 'sinceMs' | 'untilMs'>,
  filter: RecordFilter,
): Promise<RuleStatistics> {
  const grouped = await reader.group({
    filter: { ...filter, since: formatTime(sinceMs), until: formatTime(untilMs) },
    sinceMs,
    stepMs: untilMs - sinceMs,
    by: ['judged', 'labelled'],
    pairsMax: KINDS_MAX,
  });
  const kinds = grouped.pairs.map(({ values: [judged, label], count }) => ({
    judged: fromJudgedText(judged),
    label: fromLabelledText(label),
    count,
  }));
  const documents = await documentsOf(policies, kinds);
  const tallies = new Tallies(documents);
  for (const kind of kinds) tallies.add(kind);
  const total = grouped.steps.reduce((sum, step) => sum + step.total, 0);
  return {
    ...tallies.read(),
    total,
    policies: [...documents.values()],
    omitted: total - kinds.reduce((sum, { count }) => sum + count, 0),
    coveredFromMs: grouped.coveredFromMs,
  };
}

/** The texts of the policies of most decisions, as far as they are known. */
async function documentsOf(
  policies: Pick<KnownPolicies, 'find'>,
  kinds: readonly Kind[],
): Promise<Map<string, PolicyDocument>> {
  const counts = new Map<string, number>();
  for (const { judged, count } of kinds) raise(counts, judged.policyHash, count);
  const frequent = [...counts].sort(([, left], [, right]) => right - left).slice(0, POLICIES_MAX);
  const found = new Map<string, PolicyDocument>();
  // One after the other: each may have to be compiled.
  for (const [hash] of frequent) {
    const known = await policies.find(hash);
    if (known !== null) found.set(hash, known.document);
  }
  return found;
}

interface Tally {
  decisive: number;
  readonly labels: Map<string, number>;
  /** Of decisions that were a CHALLENGE. */
  readonly challenged: Map<string, number>;
  readonly delays: Map<number, number>;
}

function createTally(): Tally {
  return { decisive: 0, labels: new Map(), challenged: new Map(), delays: new Map() };
}

class Tallies {
  readonly #documents: ReadonlyMap<string, PolicyDocument>;
  readonly #rules = new Map<string, Tally>();
  readonly #labels = new Map<string, number>();
  #undecided = 0;

  constructor(documents: ReadonlyMap<string, PolicyDocument>) {
    this.#documents = documents;
  }

  add({ judged, label, count }: Kind): void {
    if (label !== null) raise(this.#labels, label.label, count);
    for (const { name, result } of judged.rules) {
      const tally = this.#of(name);
      if (label === null || result !== 'true') continue;
      raise(tally.labels, label.label, count);
      raise(tally.delays, label.delay, count);
      if (judged.decision === 'CHALLENGE') raise(tally.challenged, label.label, count);
    }
    const document = this.#documents.get(judged.policyHash);
    if (document === undefined) {
      this.#undecided += count;
      return;
    }
    const decisive = decisiveRule(judged, document);
    if (decisive !== null) this.#of(decisive).decisive += count;
  }

  read(): Pick<RuleStatistics, 'rules' | 'none' | 'labels' | 'undecided'> {
    const { fraud: frauds } = sidesOf(this.#labels);
    const rules = [...this.#rules].map(([id, tally]) => [id, toPerformance(tally, frauds)] as const);
    return {
      rules: new Map(rules),
      none: toPerformance(createTally(), frauds),
      labels: Object.fromEntries(this.#labels),
      undecided: this.#undecided,
    };
  }

  #of(rule: string): Tally {
    let tally = this.#rules.get(rule);
    if (tally === undefined) {
      tally = createTally();
      this.#rules.set(rule, tally);
    }
    return tally;
  }
}

function toPerformance({ decisive, labels, challenged, delays }: Tally, frauds: number): RulePerformance {
  const { fraud, legit } = sidesOf(labels);
  const [passed, failed] = [challenged.get('challenge_passed') ?? 0, challenged.get('challenge_failed') ?? 0];
  return {
    decisive,
    labels: Object.fromEntries(labels),
    precision: estimateShare(fraud, fraud + legit),
    recall: estimateShare(fraud, frauds),
    challengePass: estimateShare(passed, passed + failed),
    medianDelayMs: medianDelayMs(delays),
  };
}

function raise<Key>(counts: Map<Key, number>, key: Key, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
