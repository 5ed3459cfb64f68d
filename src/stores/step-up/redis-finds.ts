import type { Clock } from '../../application/clock.ts';
import {
  type FoundStepUp,
  type KeptStepUp,
  type StepUp,
  type StepUpSubject,
  slotOf,
  toKeptStepUps,
} from '../../domain/step-up/step-up.ts';
import type { RedisGenerations } from '../redis/generations.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';
import { createTurnBatch } from '../redis/turn-batch.ts';
import { FIND } from './redis-scripts.ts';

interface RedisFindsOptions {
  readonly redis: RedisHandle;
  readonly clock: Clock;
  readonly generations: RedisGenerations;
  /** The ids of the hash keys of this process, joined by `+`. */
  readonly writer: string;
  /** Told of an account that was given with a telemetry id for the first time. */
  readonly onAccount: (subject: StepUpSubject, lossMs: number) => void;
}

/** The step-up of whom, and how long before now a loss matters. */
interface Question {
  readonly subject: StepUpSubject;
  readonly lossMs: number;
}

type Arguments = readonly (string | number)[];

type FindScripts = {
  findStepUps(
    count: number,
    keys: readonly string[],
    settings: Arguments,
    asked: Arguments,
  ): Promise<unknown>;
};

/** Neither method nor acr holds a space. */
const STEP_UP = /^(\d{1,15}) (\S*) (\S*?)(?: (\d{1,15}))?$/;

const SLOT = 'slot:';

/** The field of a subject in the hash of its telemetry id. No slot is called as the account is. */
export function toField(subject: StepUpSubject): string {
  return `${SLOT}${slotOf(subject)}`;
}

/** What a field holds. */
export function toText({ atMs, method, acr, toldAtMs }: StepUp): string {
  return `${atMs} ${method ?? ''} ${acr ?? ''}${toldAtMs === undefined ? '' : ` ${toldAtMs}`}`;
}

/**
 * Builds what finds one step-up, in one command with all others of the same turn. `unknown` where it failed or
 * its result is not known; never rejects.
 */
export function createRedisFinds(options: RedisFindsOptions): (question: Question) => Promise<FoundStepUp> {
  const { redis, clock, generations, writer } = options;
  const { client, guard, keys } = redis;
  const scripted = withScripts<FindScripts>(client, { findStepUps: { lua: FIND } });
  const groupOf = ({ subject }: Question) => keys.custodyGeneration(subject.telemetry);

  const send = async (questions: readonly Question[]): Promise<FoundStepUp[]> => {
    const redisKeys: string[] = [];
    const asked: string[] = [];
    for (const question of questions) {
      const { telemetry, account } = question.subject;
      redisKeys.push(groupOf(question), keys.formerGeneration(telemetry));
      redisKeys.push(keys.stepUps(telemetry), keys.stepUpsVoid(telemetry));
      asked.push(generations.knownFor(telemetry), toField(question.subject), account ?? '');
    }
    const settings = [clock.nowMs(), writer, generations.freshName()];
    const replies = await guard.run(() => scripted.findStepUps(redisKeys.length, redisKeys, settings, asked));
    return questions.map((question, place) =>
      Array.isArray(replies) ? note(options, question, replies[place]) : 'unknown',
    );
  };

  return createTurnBatch(redis, { send, groupOf, unknown: 'unknown' });
}

/** Takes the reply to one question: a list, or the text of what it failed with. */
function note(
  { redis, clock, generations, onAccount }: RedisFindsOptions,
  { subject, lossMs }: Question,
  reply: unknown,
): FoundStepUp {
  if (!Array.isArray(reply)) {
    redis.guard.noteRefusal(String(reply));
    return 'unknown';
  }
  const { keys } = redis;
  const [generation, text, isNewAccount]: unknown[] = reply;
  const missedAtMs = generations.note(subject.telemetry, generation);
  const stepUp = text === null || text === undefined ? null : toStepUp(text);
  if (missedAtMs === null || stepUp === undefined) {
    const refused = missedAtMs === null ? keys.custodyGeneration : keys.stepUps;
    redis.reportRefusal({ kind: 'value_refused', key: refused(subject.telemetry) });
    return 'unknown';
  }
  if (isNewAccount === 1) onAccount(subject, lossMs);
  if (stepUp !== null) return stepUp;
  return missedAtMs > 0 && clock.nowMs() < missedAtMs + lossMs ? 'unknown' : 'none';
}

/** What the hash of a telemetry id holds, without what is none. */
export function readHash(telemetry: string, held: Readonly<Record<string, string>>): readonly KeptStepUp[] {
  const slots = Object.entries(held).flatMap(([field, text]): (readonly [string, StepUp])[] => {
    const stepUp = field.startsWith(SLOT) ? toStepUp(text) : undefined;
    return stepUp === undefined ? [] : [[field.slice(SLOT.length), stepUp]];
  });
  return toKeptStepUps(telemetry, held['account'] || null, slots);
}

/** Undefined for what is none: somebody else may have written the key. */
function toStepUp(text: unknown): StepUp | undefined {
  const [, at, method, acr, told] = STEP_UP.exec(String(text)) ?? [];
  if (at === undefined) return undefined;
  const stepUp = { atMs: Number(at), method: method || null, acr: acr || null };
  return told === undefined ? stepUp : { ...stepUp, toldAtMs: Number(told) };
}
