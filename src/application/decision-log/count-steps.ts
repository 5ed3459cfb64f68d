import { GroupedCounts } from '../../domain/decision-log/grouped-counts.ts';
import type { DecisionLogReader } from './decision-log.ts';
import { PERIOD_MS } from './decision-log.ts';
import type { StatsWindow } from './plan-window.ts';
import type { RunPiece } from './run-piece.ts';
import { type CountedStep, createStepMemory, type Quantiles, type StepMemory } from './step-memory.ts';

/** The counts of a window, for every group. */
export interface CountedWindow {
  /** One for each step, oldest first. */
  readonly steps: readonly CountedStep[];
  readonly all: CountedStep;
  /** The version of the log that was counted; null where it changed during the count. */
  readonly version: string | null;
}

/** Counts a window. Rejects with `store_unavailable`. */
export type CountSteps = (window: StatsWindow) => Promise<CountedWindow>;

interface CountStepsOptions {
  readonly reader: Pick<DecisionLogReader, 'counts' | 'countVersions' | 'version' | 'stepsTogether'>;
  readonly run: RunPiece;
}

const NOTHING = toStep(new GroupedCounts());

/** Periods that are read in one piece: about 6,000 counts of a busy service, about 5 ms. */
const PERIODS_TOGETHER = 16;
/** Steps that are added up in one piece. */
const STEPS_TOGETHER = 32;
/** Counts that are kept in memory: about 10 MB. */
const REMEMBERED_MAX = 200_000;

/**
 * Counts windows in pieces, so that other work can run in between. Steps whose hours have not changed are
 * remembered, so that only the current hour is counted again. Requests for the same window that arrive before
 * its count begins share one answer. `reader` should be paced; see paceReads.
 */
export function createCountSteps({ reader, run }: CountStepsOptions): CountSteps {
  const memory = createStepMemory(REMEMBERED_MAX);
  return shareByKey(toKey, async (window) => {
    const version = await reader.version();
    const steps = await readSteps(reader, run, memory, window);
    const all = new GroupedCounts();
    await inPieces(steps, run, ({ counts }) => all.addAll(counts));
    const isSteady = (await reader.version()) === version;
    return { steps, all: toStep(all), version: isSteady ? version : null };
  });
}

function toKey({ sinceMs, untilMs, stepMs }: StatsWindow): string {
  return `${sinceMs}/${untilMs}/${stepMs}`;
}

/** The quantiles of one latency series. */
export function quantilesOf(counts: GroupedCounts, series: string): Quantiles {
  const [p50 = null, p95 = null, p99 = null] = counts.quantilesOf(series, [0.5, 0.95, 0.99]);
  return { p50, p95, p99 };
}

function toStep(counts: GroupedCounts): CountedStep {
  return { counts, latencyMs: quantilesOf(counts, 'decision') };
}

/** Runs a function for each step, a bounded number of steps in one piece. */
async function inPieces<Step>(
  steps: readonly Step[],
  run: RunPiece,
  work: (step: Step) => void,
): Promise<void> {
  for (let from = 0; from < steps.length; from += STEPS_TOGETHER)
    await run(() => {
      for (const step of steps.slice(from, from + STEPS_TOGETHER)) work(step);
    });
}

async function readSteps(
  reader: CountStepsOptions['reader'],
  run: RunPiece,
  memory: StepMemory,
  window: StatsWindow,
): Promise<readonly CountedStep[]> {
  const { sinceMs, untilMs, stepMs, period } = window;
  // The versions are read before the counts: counts that are newer are then read again, and old counts never
  // pass for new ones.
  const versions = await reader.countVersions(window);
  const firstHour = Math.floor(sinceMs / PERIOD_MS.hour);
  const versionOf = (startMs: number) =>
    versions
      .slice(
        Math.floor(startMs / PERIOD_MS.hour) - firstHour,
        Math.ceil((startMs + stepMs) / PERIOD_MS.hour) - firstHour,
      )
      .join();
  const starts = Array.from({ length: (untilMs - sinceMs) / stepMs }, (_, place) => sinceMs + place * stepMs);
  const steps = starts.map((startMs) => memory.find(stepMs, startMs, versionOf(startMs)));
  const read = new Map<number, GroupedCounts>();
  for (const [fromMs, toMs] of piecesOf(
    starts.filter((_, place) => steps[place] === undefined),
    stepMs,
    Math.max(PERIODS_TOGETHER * PERIOD_MS[period], reader.stepsTogether * stepMs),
  ))
    for (const { startMs, counts } of await reader.counts({
      sinceMs: fromMs,
      untilMs: toMs,
      period,
      ...(reader.stepsTogether > 0 && { stepMs }),
    })) {
      const step = startMs - ((startMs - sinceMs) % stepMs);
      const grouped = read.get(step) ?? new GroupedCounts();
      read.set(step, grouped);
      grouped.add(counts);
    }
  await inPieces([...read], run, ([startMs, counts]) => {
    const step = toStep(counts);
    memory.keep(stepMs, startMs, versionOf(startMs), step);
    steps[(startMs - sinceMs) / stepMs] = step;
  });
  return starts.map((startMs, place) => {
    const known = steps[place];
    if (known !== undefined) return known;
    memory.keep(stepMs, startMs, versionOf(startMs), NOTHING);
    return NOTHING;
  });
}

/** The time ranges of the steps, in pieces of so many milliseconds. */
function* piecesOf(
  starts: readonly number[],
  stepMs: number,
  pieceMs: number,
): Generator<readonly [fromMs: number, toMs: number]> {
  let place = 0;
  while (place < starts.length) {
    const fromMs = starts[place] ?? 0;
    let untilMs = fromMs + stepMs;
    while (starts[place + 1] === untilMs) {
      place += 1;
      untilMs += stepMs;
    }
    place += 1;
    for (let atMs = fromMs; atMs < untilMs; atMs += pieceMs) yield [atMs, Math.min(untilMs, atMs + pieceMs)];
  }
}

/**
 * One run at a time for each key. All who ask during a run share the next run, so that no answer is older
 * than its question.
 */
function shareByKey<Question, Answer>(
  keyOf: (question: Question) => string,
  work: (question: Question) => Promise<Answer>,
): (question: Question) => Promise<Answer> {
  const running = new Map<string, Promise<unknown>>();
  const waiting = new Map<string, Promise<Answer>>();
  return (question) => {
    const key = keyOf(question);
    const shared = waiting.get(key);
    if (shared !== undefined) return shared;
    const before = running.get(key) ?? Promise.resolve();
    const begin = (): Promise<Answer> => {
      waiting.delete(key);
      running.set(key, next);
      return work(question);
    };
    // The result of the previous run is for those who asked for it.
    const next: Promise<Answer> = before.then(begin, begin).finally(() => {
      if (running.get(key) === next) running.delete(key);
    });
    waiting.set(key, next);
    return next;
  };
}
