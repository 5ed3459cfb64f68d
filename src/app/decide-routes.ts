import { createRunBatch, type RunBatch } from '../application/batch/run-batch.ts';
import { boundInFlight } from '../application/bound-in-flight.ts';
import type { HoldToLimits } from '../application/callers/hold-to-limits.ts';
import type { Decide } from '../application/decide.ts';
import { createDecideTestId } from '../application/decide-test-id.ts';
import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import type { OperationObserver } from '../application/operation-observer.ts';
import type { SettledDecide } from '../application/settle-decision.ts';
import type { Config } from '../config/config.ts';
import type { Decision } from '../domain/decision.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import type { AnswerOnce } from '../http/callers/idempotency.ts';
import type { TrafficObserver } from '../http/callers/traffic-observer.ts';
import { createPlaces } from '../platform/places.ts';
import type { AppContext } from './context.ts';
import type { OverloadGuard } from './overload.ts';
import type { RouteDependencies } from './routes.ts';

/** Of what a process has, for decisions and for calls to any provider, batches leave half to others. */
const SHARE = 0.5;
/** A batch that waits holds its body: 128 KiB at most. */
const WAITING_MAX = 256;

/** Answers to test ids wait for nothing but their own time. */
const TESTS_IN_FLIGHT_MAX = 64;

interface DecideParts extends Pick<OverloadGuard, 'decide' | 'overload'> {
  readonly holdToLimits: HoldToLimits;
  readonly answerOnce: AnswerOnce;
  readonly traffic: TrafficObserver;
  readonly observer: Pick<OperationObserver, 'onBatch' | 'onRefusal'>;
  readonly isDraining: () => boolean;
  /** Null where no outcome can be told by the id of a decision. */
  readonly log: object | null;
  readonly slots: readonly ProviderSlot[];
  readonly policy: () => CompiledPolicy;
}

/** What the routes use that decide about one subject, or about several. */
export function wireDecideRoutes(
  context: AppContext,
  parts: DecideParts,
): Pick<RouteDependencies, 'decide' | 'authzenConfiguration'> {
  const { config, logger } = context;
  const { log, ...uses } = parts;
  const runBatch = wireBatches(context, parts);
  const deadlineMs = config.decisionDeadlineMs;
  const canReportOutcome = log !== null;
  const decideTestId = wireTestIds(createDecideTestId({ ...context, ...parts, deadlineMs }));
  const { publicUrl } = config;
  return {
    decide: { ...uses, decideTestId, canReportOutcome, runBatch, deadlineMs, logger },
    authzenConfiguration: publicUrl === null ? null : { publicUrl },
  };
}

/** As a settled decision to the routes, although nothing is settled; with a bound of its own. */
function wireTestIds(decide: Decide): SettledDecide {
  const toSettled = (decision: Decision) => ({ id: decision.id, decision });
  return boundInFlight((subject, options) => {
    const made = decide(subject, options);
    return made instanceof Promise ? made.then(toSettled) : toSettled(made);
  }, TESTS_IN_FLIGHT_MAX).decide;
}

/** What runs the items of batches, in the places that they have in this process. */
function wireBatches({ config, clock }: AppContext, parts: DecideParts): RunBatch {
  const { holdToLimits, overload, traffic } = parts;
  const places = createPlaces({
    max: placesFor(config),
    waitingMax: WAITING_MAX,
    waitMs: config.decisionDeadlineMs,
  });
  return createRunBatch({
    holdToLimits,
    overload,
    takePlace: places.take,
    clock,
    onLimited: traffic.onRefused,
  });
}

function placesFor({ inFlightMax, providers }: Pick<Config, 'inFlightMax' | 'providers'>): number {
  const calls = providers.filter(({ isEnabled }) => isEnabled).map(({ concurrencyMax }) => concurrencyMax);
  return Math.max(1, Math.floor(SHARE * Math.min(inFlightMax, ...calls)));
}
