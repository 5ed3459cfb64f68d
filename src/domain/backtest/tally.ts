import type { Label } from '../decision-log/outcome-label.ts';
import { VERDICTS, type Verdict } from '../verdict.ts';
import type { BacktestOutcome } from './judge-record.ts';

/** What decisions have in common that are counted together. */
export interface BacktestGroup {
  /** What was decided. */
  readonly verdict: Verdict;
  /** What rules came to then; see countedRules. */
  readonly rules: readonly string[];
  readonly caller: string;
  readonly action: string | null;
  /** Unix milliseconds at which its hour begins. */
  readonly hourMs: number;
  /** The label in force. */
  readonly label: Label | null;
  readonly outcome: BacktestOutcome;
}

/** One decision whose verdict changes. */
interface ChangedDecision {
  readonly id: string;
  /** The keyed hash of its account; null without one. */
  readonly account: string | null;
  readonly from: Verdict;
  readonly to: Verdict;
}

/** Decisions by the verdict that was made and the candidate's: three rows of three. */
export type VerdictTable = number[];

/** How one rule differs, in decisions. */
export interface RuleChange {
  before: number;
  after: number;
  /** Of the candidate alone, and of the policy of the day alone. */
  gained: number;
  lost: number;
}

/** What is counted of a backtest. Plain data, which threads can send; see mergeTallies. */
export interface BacktestTally {
  decisions: number;
  readonly table: VerdictTable;
  degraded: number;
  readonly notReplayable: Map<string, number>;
  /** By the name of a rule and its result; see toResultName. */
  readonly rules: Map<string, RuleChange>;
  readonly callers: Map<string, VerdictTable>;
  readonly actions: Map<string, VerdictTable>;
  readonly hours: Map<number, VerdictTable>;
  readonly labels: Map<Label, VerdictTable>;
  /** Decisions whose verdict changes, by account: made stricter and made milder. */
  readonly accounts: Map<string, [stricter: number, milder: number]>;
  /** How many of one account may be missing, since there were too many to keep. */
  accountsLeftOut: number;
  /** Ids of decisions by the place in the table, the latest last. */
  readonly samples: Map<number, string[]>;
}

/** Names that are counted; what comes beyond is counted together. */
const NAMES_MAX = 1_000;
/** Reasons that are counted apart. */
const REASONS_MAX = 100;
/** Accounts that are kept: about 10 MB. */
const ACCOUNTS_MAX = 100_000;
/** Ids that are kept for each change. */
const SAMPLES_MAX = 10;
/** Stands for names beyond those that are counted. */
const OTHERS = '(others)';
/** Stands for decisions without an action. */
const NO_NAME = '(none)';

/** A tally of nothing. */
export function createTally(): BacktestTally {
  return {
    decisions: 0,
    table: createTable(),
    degraded: 0,
    notReplayable: new Map(),
    rules: new Map(),
    callers: new Map(),
    actions: new Map(),
    hours: new Map(),
    labels: new Map(),
    accounts: new Map(),
    accountsLeftOut: 0,
    samples: new Map(),
  };
}

function createTable(): VerdictTable {
  return VERDICTS.flatMap(() => VERDICTS.map(() => 0));
}

/** The place of a change in a table. */
export function cellOf(from: Verdict, to: Verdict): number {
  return VERDICTS.indexOf(from) * VERDICTS.length + VERDICTS.indexOf(to);
}

/** Counts so many decisions that have all of this in common. */
export function addGroup(tally: BacktestTally, group: BacktestGroup, count: number): void {
  tally.decisions += count;
  const { outcome, verdict, rules, caller, action, hourMs, label } = group;
  if (outcome.kind === 'not_replayable') {
    raise(tally.notReplayable, outcome.why, count, REASONS_MAX);
    return;
  }
  const cell = cellOf(verdict, outcome.verdict);
  addCell(tally.table, cell, count);
  if (outcome.degraded) tally.degraded += count;
  addRules(tally.rules, rules, outcome.rules, count);
  addCell(tableOf(tally.callers, caller), cell, count);
  addCell(tableOf(tally.actions, action ?? NO_NAME), cell, count);
  addCell(tableAt(tally.hours, hourMs), cell, count);
  if (label !== null) addCell(tableAt(tally.labels, label), cell, count);
}

function addCell(table: VerdictTable, cell: number, count: number): void {
  table[cell] = (table[cell] ?? 0) + count;
}

function addRules(
  changes: BacktestTally['rules'],
  before: readonly string[],
  after: readonly string[],
  count: number,
): void {
  for (const name of before) {
    const change = changeOf(changes, name);
    change.before += count;
    if (!after.includes(name)) change.lost += count;
  }
  for (const name of after) {
    const change = changeOf(changes, name);
    change.after += count;
    if (!before.includes(name)) change.gained += count;
  }
}

function changeOf(changes: BacktestTally['rules'], given: string): RuleChange {
  const name = changes.has(given) || changes.size < NAMES_MAX ? given : OTHERS;
  let change = changes.get(name);
  if (change === undefined) {
    change = { before: 0, after: 0, gained: 0, lost: 0 };
    changes.set(name, change);
  }
  return change;
}

function tableOf(tables: Map<string, VerdictTable>, name: string): VerdictTable {
  return tableAt(tables, tables.has(name) || tables.size < NAMES_MAX ? name : OTHERS);
}

function tableAt<Name>(tables: Map<Name, VerdictTable>, name: Name): VerdictTable {
  let table = tables.get(name);
  if (table === undefined) {
    table = createTable();
    tables.set(name, table);
  }
  return table;
}

function raise(counts: Map<string, number>, given: string, count: number, namesMax: number): void {
  const name = counts.has(given) || counts.size < namesMax ? given : OTHERS;
  counts.set(name, (counts.get(name) ?? 0) + count);
}

/** Notes one decision whose verdict changes. */
export function addChanged(tally: BacktestTally, { id, account, from, to }: ChangedDecision): void {
  const isStricter = VERDICTS.indexOf(to) > VERDICTS.indexOf(from);
  if (account !== null) addAccount(tally, account, isStricter ? [1, 0] : [0, 1]);
  addSamples(tally.samples, cellOf(from, to), [id]);
}

/** Of too many accounts those with the fewest changes go, and how many those had is remembered. */
function addAccount(
  tally: BacktestTally,
  account: string,
  [stricter, milder]: readonly [number, number],
): void {
  const { accounts } = tally;
  const known = accounts.get(account);
  if (known !== undefined) {
    known[0] += stricter;
    known[1] += milder;
    return;
  }
  accounts.set(account, [stricter, milder]);
  if (accounts.size <= ACCOUNTS_MAX) return;
  for (let floor = tally.accountsLeftOut + 1; accounts.size > ACCOUNTS_MAX / 2; floor += 1) {
    for (const [name, [more, fewer]] of accounts) if (more + fewer <= floor) accounts.delete(name);
    tally.accountsLeftOut = floor;
  }
}

function addSamples(samples: Map<number, string[]>, cell: number, ids: readonly string[]): void {
  const kept = samples.get(cell) ?? [];
  const [oldest] = kept;
  if (kept.length >= SAMPLES_MAX && oldest !== undefined && ids.every((id) => id <= oldest)) return;
  // Ids rise with time.
  samples.set(cell, [...new Set([...kept, ...ids])].sort().slice(-SAMPLES_MAX));
}

/** Adds what another tally counted of other decisions. */
export function mergeTallies(into: BacktestTally, from: BacktestTally): void {
  into.decisions += from.decisions;
  into.degraded += from.degraded;
  into.accountsLeftOut += from.accountsLeftOut;
  addTable(into.table, from.table);
  for (const [why, count] of from.notReplayable) raise(into.notReplayable, why, count, REASONS_MAX);
  for (const [name, change] of from.rules) {
    const known = changeOf(into.rules, name);
    known.before += change.before;
    known.after += change.after;
    known.gained += change.gained;
    known.lost += change.lost;
  }
  for (const [name, table] of from.callers) addTable(tableOf(into.callers, name), table);
  for (const [name, table] of from.actions) addTable(tableOf(into.actions, name), table);
  for (const [hour, table] of from.hours) addTable(tableAt(into.hours, hour), table);
  for (const [label, table] of from.labels) addTable(tableAt(into.labels, label), table);
  for (const [account, changes] of from.accounts) addAccount(into, account, changes);
  for (const [cell, ids] of from.samples) addSamples(into.samples, cell, ids);
}

function addTable(into: VerdictTable, from: VerdictTable): void {
  for (const [cell, count] of from.entries()) addCell(into, cell, count);
}
