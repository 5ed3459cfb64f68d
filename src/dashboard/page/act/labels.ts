import { signal } from '@preact/signals';
import { ApiError } from '../api-client.ts';
import { toWords } from '../format.ts';
import { endSessionOnUnknown, session } from '../session.ts';
import type { DecisionDetail, DecisionSummary } from '../wire.ts';
import { type ActNotice, act, actNotice } from './acts.ts';

/** What people say of decisions here, with the key for it. */
export const LABELS = { fraud: 'f', legit: 'l', challenge_passed: 'p' } as const;

/** A label that is given here. */
export type GivenLabel = keyof typeof LABELS;

/** What has to be known of a decision to label it. */
export type Labelled = Pick<DecisionSummary, 'decision_id' | 'decision' | 'label'>;

const WITHDRAWN = 'withdrawn';
const SAID_SINCE = 'somebody has labelled it since';
/** Decisions that are labelled at once. */
export const LABELLED_MAX = 100;
/** Requests of one bulk at a time. */
const TOGETHER = 4;
/** Labels that are remembered over those in rows. */
const SAID_MAX = 2_000;

/** The label in force of decisions that were labelled here, by id: rows were read before. */
export const saidHere = signal<ReadonlyMap<string, string | null>>(new Map());

/** The label in force, as far as the page knows. */
export function labelOf({ decision_id: id, label }: Labelled): string | null {
  const said = saidHere.value.get(id);
  return said === undefined ? label : said;
}

/** Labels decisions, or takes the labels back they have (null), and offers to undo that. */
export function labelDecisions(decisions: readonly Labelled[], label: GivenLabel | null): Promise<void> {
  return act(async () => {
    const before = decisions.slice(0, LABELLED_MAX).map((one) => ({ ...one, label: labelOf(one) }));
    const undos = new Map<string, () => Promise<void>>();
    const failures = await forEach(before, async (one) => {
      const said = await say(one.decision_id, { label });
      undos.set(one.decision_id, () => putBack(one, label, said));
    });
    const done = before.filter(({ decision_id: id }) => !failures.has(id));
    return toNotice(done, failures, label, async () => {
      const left = await forEach(done, async ({ decision_id: id }) => undos.get(id)?.());
      if (left.size > 0) throw new Error(describe(left));
    });
  });
}

/** The ids of the latest bulk that were not labelled. */
export const notLabelled = signal<ReadonlySet<string>>(new Set());

function toNotice(
  done: readonly Labelled[],
  failures: ReadonlyMap<string, unknown>,
  label: GivenLabel | null,
  undo: () => Promise<void>,
): ActNotice {
  notLabelled.value = new Set(failures.keys());
  const isFailure = failures.size > 0;
  if (done.length === 0) return { text: `Not done: ${describe(failures)}`, isFailure, undo: null };
  const what = label === null ? 'Label taken back' : `Labelled ${toWords(label)}`;
  const count = done.length === 1 ? '1 decision' : `${done.length} decisions`;
  const whole = done.length + failures.size === 1 ? what : `${what}: ${count}`;
  return { text: isFailure ? `${whole}. Not done: ${describe(failures)}` : whole, isFailure, undo };
}

function describe(failures: ReadonlyMap<string, unknown>): string {
  const [first] = failures.values();
  const why = first instanceof Error ? first.message : 'no answer';
  return failures.size === 1 ? why : `${failures.size} decisions (${why})`;
}

/** Each of them, a few at a time; what failed, by id. */
async function forEach(
  decisions: readonly Labelled[],
  run: (one: Labelled) => Promise<void>,
): Promise<ReadonlyMap<string, unknown>> {
  const failures = new Map<string, unknown>();
  const waiting = [...decisions];
  const worker = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      if (decisions.length > 1) progress(decisions.length - waiting.length, decisions.length);
      try {
        await run(one);
      } catch (error) {
        failures.set(one.decision_id, error);
        endSessionOnUnknown(error);
      }
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, worker));
  return failures;
}

function progress(count: number, all: number): void {
  actNotice.value = { text: `${count} of ${all}…`, isFailure: false, undo: null };
}

type Said = DecisionDetail['labels'];

/** What is said of a decision; `seen`: only while it has so many labels. */
interface Saying {
  readonly label: string | null;
  readonly at?: string;
  readonly seen?: number;
}

/** All labels that the decision has then. */
async function say(id: string, { label, seen, ...time }: Saying): Promise<Said> {
  const body = { label: label ?? WITHDRAWN, ...time, ...(seen !== undefined && { labels_seen: seen }) };
  const answer = await session.value?.client.get<Pick<DecisionDetail, 'labels' | 'label'>>(
    `v1/decisions/${id}/outcome`,
    {},
    { method: 'POST', body },
  );
  const known = [...saidHere.value].filter(([each]) => each !== id).slice(-SAID_MAX);
  saidHere.value = new Map([...known, [id, answer?.label ?? null]]);
  return answer?.labels ?? [];
}

/**
 * What was counted of the label goes with it, before what was there is said again: what the service says was there,
 * since a row may be older than what a colleague said. It counts from its own time: a challenge that was passed is no
 * younger by it. Rejects where somebody has said something since, which is not to be taken back.
 */
async function putBack(
  { decision_id: id, label: shown }: Labelled,
  given: string | null,
  said: Said,
): Promise<void> {
  // Said already, by a colleague or before: nothing was changed.
  if (shown === given || !isOwn(said)) return;
  try {
    const left = given === null ? said : await say(id, { label: null, seen: said.length });
    // What a colleague has taken back is not taken back again, and is no conflict.
    if (!isOwn(left)) throw new Error(SAID_SINCE);
    const former = said.at(-2);
    if (former === undefined || former.label === WITHDRAWN) return;
    // The same label of the same time would be a repetition of what was taken back.
    const at = new Date(Date.parse(former.at) + 1).toISOString();
    await say(id, { label: former.label, at, seen: left.length });
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) throw new Error(SAID_SINCE);
    throw error;
  }
}

/** Whether the latest of these labels was given here. */
function isOwn(labels: Said): boolean {
  const last = labels.at(-1);
  return last !== undefined && last.caller === session.value?.caller;
}
