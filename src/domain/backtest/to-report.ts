import { type Label, OUTCOME_LABELS } from '../decision-log/outcome-label.ts';
import { VERDICTS, type Verdict } from '../verdict.ts';
import { type BacktestTally, cellOf, type RuleChange, type VerdictTable } from './tally.ts';

/** What it costs to answer with a verdict where a decision turned out so; what is not given costs nothing. */
export type CostMatrix = { readonly [Of in Label]?: Costs | undefined };

type Costs = { readonly [Of in Verdict]?: number | undefined };

/** How decisions change their verdict. */
interface VerdictChanges {
  readonly decisions: number;
  readonly changed: number;
  readonly stricter: number;
  readonly milder: number;
}

/** How labelled decisions are answered by one of the two policies. */
interface LabelQuality {
  /** Of the decisions that are stopped, how many turned out bad; null where none is stopped. */
  readonly precision: number | null;
  /** Of the decisions that turned out bad, how many are stopped; null where there are none. */
  readonly recall: number | null;
}

/** `blocked`: a BLOCK stops. `challenged`: a CHALLENGE does too. */
interface PolicyQuality {
  readonly blocked: LabelQuality;
  readonly challenged: LabelQuality;
  /** By the cost matrix; null without one. */
  readonly cost: number | null;
}

/** What a candidate would have changed. */
export interface BacktestReport {
  /** Those that were looked at; those that could not be judged are among them. */
  readonly decisions: number;
  readonly judged: number;
  readonly notReplayable: readonly { readonly reason: string; readonly count: number }[];
  /** Of the candidate. */
  readonly degraded: number;
  readonly changes: VerdictChanges;
  /** From what was decided to what the candidate comes to. */
  readonly transitions: readonly {
    readonly from: Verdict;
    readonly to: Verdict;
    readonly count: number;
    /** Ids of decisions, the latest first; none where nothing changes. */
    readonly samples: readonly string[];
  }[];
  readonly rules: readonly (RuleChange & { readonly rule: string })[];
  readonly callers: readonly (VerdictChanges & { readonly caller: string })[];
  readonly actions: readonly (VerdictChanges & { readonly action: string })[];
  readonly hours: readonly (VerdictChanges & { readonly hourMs: number })[];
  /** Null where no decision has a label. */
  readonly labelled: {
    readonly labels: readonly {
      readonly label: Label;
      readonly before: Readonly<Record<Verdict, number>>;
      readonly after: Readonly<Record<Verdict, number>>;
    }[];
    readonly before: PolicyQuality;
    readonly after: PolicyQuality;
  } | null;
  /** Those with the most changes, by their keyed hashes. */
  readonly accounts: readonly {
    readonly account: string;
    readonly stricter: number;
    readonly milder: number;
  }[];
  /** How many changes of one account may be missing: 0 where all were counted. */
  readonly accountsLeftOut: number;
}

const ACCOUNTS_SHOWN = 20;
/** `abandoned` does not show who the user was. */
const BAD: readonly Label[] = ['fraud', 'challenge_failed'];
const GOOD: readonly Label[] = ['legit', 'challenge_passed'];
const STOPPED_BY = { blocked: ['BLOCK'], challenged: ['CHALLENGE', 'BLOCK'] } as const;

/** The report of what was counted. */
export function toReport(tally: BacktestTally, costs: CostMatrix | null): BacktestReport {
  const { table, samples, notReplayable, rules, accounts } = tally;
  const changes = toChanges(table);
  const transitions = VERDICTS.flatMap((from) =>
    VERDICTS.map((to) => {
      const cell = cellOf(from, to);
      return { from, to, count: table[cell] ?? 0, samples: (samples.get(cell) ?? []).toReversed() };
    }),
  );
  return {
    decisions: tally.decisions,
    judged: changes.decisions,
    notReplayable: byCount([...notReplayable].map(([reason, count]) => ({ reason, count }))),
    degraded: tally.degraded,
    changes,
    transitions: transitions.filter(({ count }) => count > 0),
    rules: [...rules]
      .map(([rule, change]) => ({ rule, ...change }))
      .sort((left, right) => moved(right) - moved(left) || compare(left.rule, right.rule)),
    callers: byChanged(
      [...tally.callers].map(([caller, of]) => ({ caller, ...toChanges(of) })),
      ({ caller }) => caller,
    ),
    actions: byChanged(
      [...tally.actions].map(([action, of]) => ({ action, ...toChanges(of) })),
      ({ action }) => action,
    ),
    hours: [...tally.hours]
      .map(([hourMs, of]) => ({ hourMs, ...toChanges(of) }))
      .sort((left, right) => left.hourMs - right.hourMs),
    labelled: tally.labels.size === 0 ? null : toLabelled(tally.labels, costs),
    accounts: [...accounts]
      .map(([account, [stricter, milder]]) => ({ account, stricter, milder }))
      .sort(
        (left, right) =>
          right.stricter + right.milder - left.stricter - left.milder || compare(left.account, right.account),
      )
      .slice(0, ACCOUNTS_SHOWN),
    accountsLeftOut: tally.accountsLeftOut,
  };
}

function toChanges(table: VerdictTable): VerdictChanges {
  let [decisions, stricter, milder] = [0, 0, 0];
  table.forEach((count, cell) => {
    const [from, to] = [Math.floor(cell / VERDICTS.length), cell % VERDICTS.length];
    decisions += count;
    if (to > from) stricter += count;
    if (to < from) milder += count;
  });
  return { decisions, changed: stricter + milder, stricter, milder };
}

function moved({ gained, lost }: RuleChange): number {
  return gained + lost;
}

/** The most first; of as many, by their names. */
function byCount<Item extends { readonly reason: string; readonly count: number }>(items: readonly Item[]) {
  return items.toSorted((left, right) => right.count - left.count || compare(left.reason, right.reason));
}

function byChanged<Item extends VerdictChanges>(items: readonly Item[], nameOf: (item: Item) => string) {
  return items.toSorted(
    (left, right) =>
      right.changed - left.changed ||
      right.decisions - left.decisions ||
      compare(nameOf(left), nameOf(right)),
  );
}

function compare(left: string, right: string): number {
  return left < right ? -1 : 1;
}

type Counts = Readonly<Record<Verdict, number>>;

function toLabelled(
  labels: ReadonlyMap<Label, VerdictTable>,
  costs: CostMatrix | null,
): NonNullable<BacktestReport['labelled']> {
  const counted = OUTCOME_LABELS.flatMap((label) => {
    const table = labels.get(label);
    if (table === undefined) return [];
    return [{ label, before: countsOf(table, 'before'), after: countsOf(table, 'after') }];
  });
  const qualityOf = (side: 'before' | 'after'): PolicyQuality => {
    const rows = counted.map((one) => ({ label: one.label, counts: one[side] }));
    return {
      blocked: toQuality(rows, STOPPED_BY.blocked),
      challenged: toQuality(rows, STOPPED_BY.challenged),
      cost: costs === null ? null : toCost(rows, costs),
    };
  };
  return { labels: counted, before: qualityOf('before'), after: qualityOf('after') };
}

function countsOf(table: VerdictTable, side: 'before' | 'after'): Counts {
  const counts = { ALLOW: 0, CHALLENGE: 0, BLOCK: 0 };
  table.forEach((count, cell) => {
    const place = side === 'before' ? Math.floor(cell / VERDICTS.length) : cell % VERDICTS.length;
    const verdict = VERDICTS[place];
    if (verdict !== undefined) counts[verdict] += count;
  });
  return counts;
}

type LabelRow = { readonly label: Label; readonly counts: Counts };

function toQuality(rows: readonly LabelRow[], stopping: readonly Verdict[]): LabelQuality {
  const count = (labels: readonly Label[], verdicts: readonly Verdict[]) =>
    rows
      .filter(({ label }) => labels.includes(label))
      .reduce((sum, { counts }) => sum + verdicts.reduce((all, verdict) => all + counts[verdict], 0), 0);
  const [right, wrong, bad] = [count(BAD, stopping), count(GOOD, stopping), count(BAD, VERDICTS)];
  return {
    precision: right + wrong === 0 ? null : right / (right + wrong),
    recall: bad === 0 ? null : right / bad,
  };
}

function toCost(rows: readonly LabelRow[], costs: CostMatrix): number {
  let cost = 0;
  for (const { label, counts } of rows)
    for (const verdict of VERDICTS) cost += counts[verdict] * (costs[label]?.[verdict] ?? 0);
  return cost;
}
