import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type BacktestOutcome, countedRules } from '../../../domain/backtest/judge-record.ts';
import { addChanged, addGroup, type BacktestTally } from '../../../domain/backtest/tally.ts';
import type { RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import type { LabelInForce } from '../../../domain/decision-log/record-filter.ts';
import { unpackSubject } from './entry-subjects.ts';
import { fromIdKey } from './record-entry.ts';
import type { EntryRow } from './segment-rows.ts';

const HOUR_MS = 3_600_000;
/** Actions that are counted before what was counted is handed on. */
const ACTIONS_MAX = 2 ** 10;
/** More than there are. */
const LABELS_MAX = 2 ** 3;
/** Outcomes of one scan: the numbers of all that is counted together stay below 2^53. */
export const OUTCOMES_MAX = 2 ** 16;

/** Counts entries of one segment that have all in common, and notes those whose verdict changes. */
export class GroupCounter {
  readonly #tally: BacktestTally;
  readonly #shapes: ReadonlyMap<number, RecordFacts>;
  readonly #outcomes: readonly BacktestOutcome[];
  readonly #entry: StatementSync;
  readonly #rules = new Map<number, readonly string[]>();
  readonly #actions: (string | null)[] = [];
  readonly #labels: LabelInForce[] = [];
  /** By hour, by shape and outcome, by action and label: how many. */
  readonly #hours = new Map<number, Map<number, Map<number, number>>>();

  /** `outcomes` may become more. */
  constructor(
    db: DatabaseSync,
    shapes: ReadonlyMap<number, RecordFacts>,
    outcomes: readonly BacktestOutcome[],
    tally: BacktestTally,
  ) {
    this.#shapes = shapes;
    this.#outcomes = outcomes;
    this.#tally = tally;
    this.#entry = db.prepare('SELECT id, subject FROM entries WHERE seq = ?');
  }

  /** Counts one entry, for which the candidate comes to the outcome with this number. */
  count({ seq, atMs, shape }: EntryRow, outcome: number, action: string | null, label: LabelInForce): void {
    const hour = Math.floor(atMs / HOUR_MS);
    let groups = this.#hours.get(hour);
    if (groups === undefined) {
      groups = new Map();
      this.#hours.set(hour, groups);
    }
    const judged = shape * OUTCOMES_MAX + outcome;
    let counts = groups.get(judged);
    if (counts === undefined) {
      counts = new Map();
      groups.set(judged, counts);
    }
    const told = placeIn(this.#actions, action) * LABELS_MAX + placeIn(this.#labels, label);
    counts.set(told, (counts.get(told) ?? 0) + 1);
    const [from, found] = [this.#shapes.get(shape)?.decision, this.#outcomes[outcome]];
    if (found?.kind === 'judged' && from !== undefined && from !== found.verdict) {
      const { id, subject } = this.#entry.get(seq) ?? {};
      const { account } = unpackSubject(subject);
      addChanged(this.#tally, { id: fromIdKey(id), account, from, to: found.verdict });
    }
    if (this.#actions.length >= ACTIONS_MAX) this.flush();
  }

  /** Hands on what was counted. */
  flush(): void {
    for (const [hour, groups] of this.#hours)
      for (const [judged, counts] of groups)
        for (const [told, count] of counts) this.#add(hour * HOUR_MS, judged, told, count);
    this.#hours.clear();
    this.#actions.length = 0;
  }

  #add(hourMs: number, judged: number, told: number, count: number): void {
    const label = this.#labels[told % LABELS_MAX] ?? null;
    const action = this.#actions[Math.floor(told / LABELS_MAX)] ?? null;
    const shape = Math.floor(judged / OUTCOMES_MAX);
    const [facts, outcome] = [this.#shapes.get(shape), this.#outcomes[judged % OUTCOMES_MAX]];
    if (facts === undefined || outcome === undefined)
      throw Object.assign(new Error('an entry without its shape'), { code: 'DAMAGED' });
    const { decision: verdict, caller } = facts;
    const rules = this.#rulesOf(shape, facts);
    addGroup(this.#tally, { verdict, rules, caller, action, hourMs, label, outcome }, count);
  }

  #rulesOf(shape: number, facts: RecordFacts): readonly string[] {
    let rules = this.#rules.get(shape);
    if (rules === undefined) {
      rules = countedRules(facts);
      this.#rules.set(shape, rules);
    }
    return rules;
  }
}

/** The place of an item in a short list, which it becomes the last of where it is not there. */
function placeIn<Item>(list: Item[], item: Item): number {
  const place = list.indexOf(item);
  return place >= 0 ? place : list.push(item) - 1;
}
