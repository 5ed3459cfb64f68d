import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { createSeededRandom } from '../platform/seeded-random.ts';
import { POLICY_HOUR, planMonth } from './month.ts';
import { createPastClock } from './past-clock.ts';
import { openPastService } from './past-service.ts';
import { drawLabel } from './traffic.ts';
import { createSubjects, type Question } from './traffic-subjects.ts';

/** What a history is made of. */
interface HistoryOptions {
  readonly decisions: number;
  /** Where it is put: what `DATA_DIR` will name. */
  readonly dataDirectory: string;
  /** For files that are of no use afterwards. */
  readonly scratchDirectory: string;
  readonly idHashKey: string;
  readonly untilMs: number;
  readonly say: (text: string) => void;
}

/** Until labels are reported, hours: half of them within a day, some after a week. */
const LABEL_HOURS_MAX = 24 * 8;
/** Labels are reported together: each time has to wait until the decisions are written. */
const LABELS_EVERY_HOURS = 24;
const HOUR_MS = 3_600_000;
/** As many as the history writes together, twice: what follows from some happens while it writes others. */
const REPORTED_AT_ONCE = 200;
/** Records that may wait for the history; far below what it would drop. */
const WAITING_MAX = 4_000;
/** A few milliseconds of decisions, after which what the history has written is heard of. */
const ASKED_IN_A_TURN = 8;
const LOOK_AGAIN_MS = 2;

interface Label {
  readonly dueMs: number;
  readonly id: string;
  readonly caller: string;
  readonly label: string;
}

/**
 * Fills a history with a month of decisions: the service itself decides them, with a clock that is moved through the
 * month, on upstreams that answer as the emulators would have. All people in it are invented. It is the same month
 * for the same number of decisions, but for what the service does on its own time beside answers.
 */
export async function fillHistory(options: HistoryOptions): Promise<void> {
  const { decisions, untilMs, say } = options;
  const startedMs = performance.now();
  // Each has its own: nothing that is drawn beside answers changes who asks next.
  const [people, ids, upstreams] = [0, 1, 2].map((stream) => createSeededRandom(3 * decisions + stream)) as [
    () => number,
    () => number,
    () => number,
  ];
  const hours = planMonth(decisions, untilMs);
  const clock = createPastClock(hours[0]?.startMs ?? untilMs, ids);
  const service = await openPastService({ ...options, clock, random: upstreams });
  const untilWaiting = async (max: number) => {
    while (service.waiting() > max) await delay(LOOK_AGAIN_MS);
  };
  const subjects = createSubjects(people);
  let labels: Label[] = [];
  let asked = 0;
  for (const [hour, { startMs, weather, decisions: count }] of hours.entries()) {
    if (hour === POLICY_HOUR) await service.changePolicy();
    const times = Float64Array.from({ length: count }, () => startMs + people() * HOUR_MS).sort();
    for (const atMs of times) {
      clock.moveTo(atMs);
      const question = subjects.next(weather);
      const label = toLabel(question, await service.decide(question), clock.nowMs(), people);
      if (label !== null) labels.push(label);
      asked += 1;
      if (asked % ASKED_IN_A_TURN !== 0) continue;
      await nextTurn();
      await untilWaiting(WAITING_MAX);
    }
    clock.moveTo(startMs + HOUR_MS);
    if (hour % LABELS_EVERY_HOURS !== LABELS_EVERY_HOURS - 1) continue;
    await untilWaiting(0);
    const isDue = ({ dueMs }: Label) => dueMs <= clock.nowMs();
    const due = labels.filter(isDue);
    await reportAll(due, service.report);
    labels = labels.filter((label) => !isDue(label));
    if (hour % 168 === 167) say(`${asked} decisions of ${(hour + 1) / 24} days`);
  }
  await untilWaiting(0);
  await service.close();
  say(`${asked} decisions of a month, in ${Math.round((performance.now() - startedMs) / 1000)} s`);
}

async function reportAll(labels: readonly Label[], report: (label: Label) => Promise<void>): Promise<void> {
  const left = labels.values();
  const reportNext = async () => {
    for (const label of left) await report(label);
  };
  await Promise.all(Array.from({ length: REPORTED_AT_ONCE }, reportNext));
}

/** What will be said of a decision; null for most. */
function toLabel(
  { caller, isOwner = false }: Question,
  { id, verdict }: { readonly id: string; readonly verdict: string },
  nowMs: number,
  random: () => number,
): Label | null {
  const isChallenge = verdict === 'CHALLENGE';
  const label = isOwner && isChallenge ? 'challenge_passed' : drawLabel(verdict, random);
  if (label === null) return null;
  // Challenges end within minutes, what was fraud is known after days.
  const delayMs = isChallenge ? random() * HOUR_MS : random() ** 3 * LABEL_HOURS_MAX * HOUR_MS;
  return { id, caller, label, dueMs: nowMs + delayMs };
}
