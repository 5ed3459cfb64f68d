import { setTimeout as delay } from 'node:timers/promises';
import { CROWD_WORDS, CROWDS, type Crowd } from './crowds.ts';
import { createSubjects, type Question, type Weather } from './traffic-subjects.ts';

interface Phase {
  readonly weather: Weather;
  readonly seconds: number;
  readonly perSecond: number;
  readonly says: string;
}

/** The phases of the traffic, which repeat. */
export const PHASES: readonly Phase[] = [
  { weather: 'calm', seconds: 60, perSecond: 12, says: 'a calm day' },
  {
    weather: 'attack',
    seconds: 30,
    perSecond: 70,
    says: 'a burst: forged telemetry ids and many accounts at mobile-app',
  },
  { weather: 'calm', seconds: 45, perSecond: 12, says: 'calm again' },
  { weather: 'outage', seconds: 40, perSecond: 12, says: 'an outage: Prefactor answers 503' },
  { weather: 'calm', seconds: 65, perSecond: 12, says: 'Prefactor recovers' },
];

/** Requests under way at once. Further ones are skipped: a demo is not a load test. */
const IN_FLIGHT_MAX = 200;
/** How long after a decision its label is reported. */
const LABEL_MS_MAX = 20_000;
/** Decisions that are waiting for their label. */
const LABELS_WAITING_MAX = 500;

/** The labels of each verdict, with the share of decisions that get them. */
const LABELS: Readonly<Record<string, readonly (readonly [label: string, share: number])[]>> = {
  ALLOW: [
    ['legit', 0.05],
    ['fraud', 0.002],
  ],
  CHALLENGE: [
    ['challenge_passed', 0.45],
    ['challenge_failed', 0.2],
    ['abandoned', 0.2],
  ],
  BLOCK: [
    ['fraud', 0.2],
    ['legit', 0.01],
  ],
};

interface TrafficOptions {
  readonly origin: string;
  /** The API key of each caller. */
  readonly keys: Readonly<Record<string, string>>;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Asks for decisions as mixed users would, with an attack, an outage and a recovery, until `signal` ends it.
 * Never rejects.
 */
export async function runTraffic(options: TrafficOptions): Promise<void> {
  const { say, signal } = options;
  const tally = createTally();
  const ask = createCrowd(options, tally.add);
  const isOver = () => signal.aborted;
  while (!isOver()) {
    for (const { weather, seconds, perSecond, says } of PHASES) {
      if (isOver()) return;
      say(says);
      const endsAtMs = performance.now() + seconds * 1000;
      while (performance.now() < endsAtMs && !isOver()) {
        // A service that stops or restarts does not answer; the traffic goes on.
        ask(weather).catch(() => {});
        await delay(pauseMs(perSecond), undefined, { signal }).catch(() => {});
      }
    }
    for (const line of tally.lines()) say(line);
  }
}

/** Asks one question and sometimes reports its label later. Rejects when the service does not answer. */
function createCrowd(
  { origin, keys, signal }: TrafficOptions,
  onDecision: (question: Question, reasons: readonly AnswerReason[]) => void,
): (weather: Weather) => Promise<void> {
  const subjects = createSubjects();
  let inFlight = 0;
  let waiting = 0;
  const post = async (path: string, caller: string, body: unknown): Promise<unknown> => {
    const headers = { authorization: `Bearer ${keys[caller]}`, 'content-type': 'application/json' };
    const response = await fetch(origin + path, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      signal,
    });
    return response.json();
  };
  const label = async ({ caller, body, isOwner }: Question, id: string, verdict: string): Promise<void> => {
    const name = isOwner && verdict === 'CHALLENGE' ? 'challenge_passed' : drawLabel(verdict);
    if (name === null || waiting >= LABELS_WAITING_MAX) return;
    waiting += 1;
    try {
      await delay(Math.random() * LABEL_MS_MAX, undefined, { signal });
      const details = name === 'challenge_passed' ? { method: 'otp', acr: 'urn:example:otp' } : {};
      await post(`/v1/decisions/${id}/outcome`, caller, { label: name, ...details });
      // Who has passed goes on with what was asked for, and is let in.
      if (name === 'challenge_passed') await post('/v1/decide', caller, body);
    } finally {
      waiting -= 1;
    }
  };
  return async (weather) => {
    if (inFlight >= IN_FLIGHT_MAX) return;
    const question = subjects.next(weather);
    const { caller, body } = question;
    inFlight += 1;
    const answer = post('/v1/decide', caller, body).finally(() => {
      inFlight -= 1;
    });
    // A refusal has neither.
    const { decision_id: id, decision, reasons = [] } = (await answer) as AnswerBody;
    if (decision !== undefined) onDecision(question, reasons);
    if (id !== undefined && decision !== undefined) await label(question, id, decision);
  };
}

/** What is read of an answer. */
interface AnswerBody {
  readonly decision_id?: string;
  readonly decision?: string;
  readonly reasons?: readonly AnswerReason[];
}

interface AnswerReason {
  readonly code: string;
  /** False where the rule could not be ruled out. */
  readonly certain: boolean;
}

/** Reasons of the default policy that contradictions give. */
const OF_CONTRADICTIONS: ReadonlySet<string> = new Set([
  'CONTRADICTION',
  'IMPOSSIBLE_TRAVEL',
  'IDENTITY_REUSED',
]);

/** What was decided about one crowd. */
interface CrowdCount {
  asked: number;
  contradicted: number;
  /** Of those whom contradictions did not stop for certain: how many each reason stopped, by its code. */
  readonly others: Map<string, number>;
  stopped: number;
}

/** Counts how many of each crowd are stopped by contradictions, and by which other reasons. */
export function createTally() {
  const counts = new Map<Crowd, CrowdCount>();
  return {
    add: ({ crowd }: Pick<Question, 'crowd'>, reasons: readonly AnswerReason[]): void => {
      if (crowd === undefined) return;
      const count: CrowdCount = counts.get(crowd) ?? {
        asked: 0,
        contradicted: 0,
        others: new Map(),
        stopped: 0,
      };
      counts.set(crowd, count);
      count.asked += 1;
      const names = reasons.map(({ code, certain }) => (certain ? code : `${code} not ruled out`));
      if (names.some((name) => OF_CONTRADICTIONS.has(name))) count.contradicted += 1;
      else if (names.length > 0) {
        count.stopped += 1;
        for (const name of new Set(names)) count.others.set(name, (count.others.get(name) ?? 0) + 1);
      }
    },
    lines: (): readonly string[] =>
      CROWDS.flatMap((crowd) => {
        const count = counts.get(crowd);
        if (count === undefined) return [];
        const { asked, contradicted, others, stopped } = count;
        const codes = [...others].sort(([, left], [, right]) => right - left);
        const named = codes.map(([code, times]) => `${code} ${times}`).join(', ');
        const rest = stopped > 0 ? `, ${stopped} by other rules alone (${named})` : '';
        return [`${CROWD_WORDS[crowd]}: ${asked} asked, ${contradicted} stopped by contradictions${rest}`];
      }),
  };
}

/** Independent arrivals: the pauses between them are exponential. */
function pauseMs(perSecond: number): number {
  return (-Math.log(1 - Math.random()) * 1000) / perSecond;
}

/** The label that a decision gets, of its verdict; null for most. */
export function drawLabel(verdict: string, random: () => number = Math.random): string | null {
  let mark = random();
  for (const [label, share] of LABELS[verdict] ?? []) {
    mark -= share;
    if (mark < 0) return label;
  }
  return null;
}
