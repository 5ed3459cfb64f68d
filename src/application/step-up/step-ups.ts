import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import {
  type AddedStepUp,
  type FoundStepUp,
  type StepUp,
  type StepUpSubject,
  toldAt,
  toStepUp,
} from '../../domain/step-up/step-up.ts';
import { hasText, type Subject } from '../../domain/subject.ts';
import type { Clock } from '../clock.ts';
import { hashIds, type RecordHashes } from '../decision-log/to-decision-record.ts';
import type { StepUpStore } from './step-up-store.ts';
import { toNamedSubject, toStepUpSubject } from './step-up-subject.ts';

interface StepUpsOptions {
  readonly store: StepUpStore;
  /** Under each known hash key, the one in force first. */
  readonly hashes: readonly RecordHashes[];
  readonly clock: Clock;
  /** The policy in force: it says how long a step-up is of use. */
  readonly policy: () => CompiledPolicy;
}

/** A challenge that the back end says was completed. */
interface ToldStepUp extends Pick<StepUp, 'method' | 'acr'> {
  /** Unix milliseconds. */
  readonly atMs: number;
}

/** Who has completed a challenge. Nothing here rejects. */
export interface StepUps {
  /** `none` without a telemetry id. */
  find(subject: Subject): FoundStepUp | Promise<FoundStepUp>;
  /** Keeps a step-up of this subject, which has a telemetry id. */
  add(subject: Subject, told: ToldStepUp): Promise<AddedStepUp>;
  /** The same of the subject of a record, whose ids are known by their hashes alone. */
  addNamed(subject: StepUpSubject, told: ToldStepUp): Promise<AddedStepUp>;
}

/** Builds the use case; see StepUps. */
export function createStepUps({ store, hashes, clock, policy }: StepUpsOptions): StepUps {
  const [inForce, ...older] = hashes;
  const namesOf = (subject: Subject): readonly StepUpSubject[] =>
    hashes.flatMap((under) => toStepUpSubject(hashIds(subject, under)) ?? []);
  const lifeMs = () => policy().stepUpLifeSeconds * 1000;

  const addNamed: StepUps['addNamed'] = (subject, told) =>
    store.add(subject, toStepUp(told, clock.nowMs()), lifeMs());

  /**
   * What a record names is kept under the hash key that was in force then. Whatever is found under another key
   * moves to that in force, where the outcome of this decision can end it, and satisfies nothing before: what
   * stays behind would outlive that outcome.
   */
  const findAll = async (names: readonly StepUpSubject[]): Promise<FoundStepUp> => {
    const found = await Promise.all(names.map((name) => findMoved(names[0], name)));
    if (found.includes('unknown')) return 'unknown';
    const stepUps = found.filter((each) => typeof each === 'object');
    const latest = stepUps.toSorted((left, right) => toldAt(right) - toldAt(left))[0];
    return latest === undefined ? 'none' : endVoid(store, latest, names);
  };
  const findMoved = async (to: StepUpSubject | undefined, from: StepUpSubject): Promise<FoundStepUp> => {
    const found = await store.find(from, lifeMs());
    if (typeof found === 'string' || to === undefined || to === from) return found;
    const added = await store.add(to, found, lifeMs());
    if (added === 'unknown') return 'unknown';
    const ended = await store.forget({ telemetry: [from.telemetry], devices: [], accounts: [] }, null);
    if (ended === null) return 'unknown';
    return added === 'void' ? 'none' : found;
  };

  return {
    find: (subject) => {
      const { telemetryId } = subject;
      if (inForce === undefined || !hasText(telemetryId)) return 'none';
      if (older.length > 0) return findAll(namesOf(subject));
      const telemetry = inForce.telemetry(telemetryId);
      // Nearly no telemetry id has one, and the other hashes are of use for those that have.
      if (!store.mayHave(telemetry)) return 'none';
      return store.find(toNamedSubject(telemetry, hashIds(subject, inForce)), lifeMs());
    },
    add: async (subject, told) => {
      // Under the key in force alone, as records name it: what ends it by a record reaches no other.
      const [name] = namesOf(subject);
      return name === undefined ? 'kept' : addNamed(name, told);
    },
    addNamed,
  };
}

/**
 * The outcome of a decision whose record has another hash key ends what is kept under that alone, and says there
 * what is void. Asked for after the moves, so that none escapes it, and noted under the key in force, as the other
 * may be gone from the configuration while the step-up is of use.
 */
async function endVoid(
  store: Pick<StepUpStore, 'forget' | 'voidUntil'>,
  found: StepUp,
  [to, ...others]: readonly StepUpSubject[],
): Promise<FoundStepUp> {
  const times = await Promise.all(others.map((name) => store.voidUntil(name)));
  if (to === undefined || times.includes(null)) return 'unknown';
  const untilMs = Math.max(0, ...times.map(Number));
  if (toldAt(found) > untilMs) return found;
  const ended = await store.forget({ telemetry: [to.telemetry], devices: [], accounts: [] }, untilMs);
  return ended === null ? 'unknown' : 'none';
}
