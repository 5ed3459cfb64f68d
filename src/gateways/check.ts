import type { Logger } from 'pino';
import type { HoldToLimits, LimitedCaller, Permit } from '../application/callers/hold-to-limits.ts';
import type { Clock } from '../application/clock.ts';
import type { OperationObserver } from '../application/operation-observer.ts';
import type { SettledDecide, SettledDecision } from '../application/settle-decision.ts';
import { RiskgateError } from '../domain/errors.ts';
import type { Subject } from '../domain/subject.ts';
import { authenticateGateway, type FindKeyHolder, type GatewayCredentials } from './authenticate-gateway.ts';
import type { GatewayResult, OriginalRequest } from './definition.ts';
import { isExempt } from './exemption.ts';
import { EMPTY_SUBJECT, findSubject } from './find-subject.ts';
import {
  DEFECT_RESULT,
  decidedResult,
  EXEMPT_RESULT,
  refusedResult,
  unavailableResult,
} from './gateway-result.ts';
import type { GatewayProfile, GatewayProfiles } from './profile.ts';
import type { NoteRefusal } from './refusal-log.ts';
import { createRepeats, type Repeats } from './repeats.ts';

/** A gateway's question, over any transport. */
export interface GatewayQuestion {
  /** For the log: the id of the dialect. */
  readonly dialect: string;
  readonly profile: string;
  /** The credentials of the gateway itself. */
  readonly credentials: GatewayCredentials;
  /** Called after the gateway is authenticated; null where the original request cannot be read. */
  readonly original: () => OriginalRequest | null;
  readonly requestId: string;
  /** How long the gateway waits for the answer; absent or null where it does not tell. */
  readonly deadlineMs?: number | null;
}

/** What the check of a gateway's question needs. */
export interface CheckDependencies {
  readonly profiles: () => GatewayProfiles;
  readonly decide: SettledDecide;
  /** Decides on a subject that can be read in more than one way. */
  readonly blockAmbiguous: SettledDecide;
  readonly observer: Pick<OperationObserver, 'onUnreadableAddress'>;
  readonly findKeyHolder: FindKeyHolder;
  readonly holdToLimits: HoldToLimits;
  /** Why the next decision would be refused, or null. */
  readonly overload: () => string | null;
  readonly noteRefusal: NoteRefusal;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Answers a gateway, synchronously when all evidence is in memory. Never rejects and never throws. */
export type Check = (question: GatewayQuestion) => GatewayResult | Promise<GatewayResult>;

/** When to retry after a refusal by riskgate. */
const RETRY_AFTER_SECONDS = 1;

/** Builds the flow that answers every gateway, over HTTP and over gRPC. */
export function createCheck(dependencies: CheckDependencies): Check {
  const flow: Flow = { ...dependencies, repeats: createRepeats(() => dependencies.clock.monotonicMs()) };
  return (question) => {
    const fail = (error: unknown) => toDefect(flow, question, error);
    try {
      const result = check(flow, question);
      return result instanceof Promise ? result.catch(fail) : result;
    } catch (error) {
      return fail(error);
    }
  };
}

interface Flow extends CheckDependencies {
  readonly repeats: Repeats;
}

function check(flow: Flow, question: GatewayQuestion): GatewayResult | Promise<GatewayResult> {
  const { dialect, credentials } = question;
  const profile = flow.profiles().byName.get(question.profile);
  if (profile === undefined) {
    flow.noteRefusal('PROFILE_UNKNOWN', dialect, null);
    return refusedResult('PROFILE_UNKNOWN');
  }
  const caller = authenticateGateway(credentials, profile, flow.findKeyHolder);
  if (caller === null) {
    flow.noteRefusal('CALLER_UNKNOWN', dialect, profile.name);
    return refusedResult('CALLER_UNKNOWN');
  }
  const original = question.original();
  if (original === null) {
    flow.noteRefusal('REQUEST_MALFORMED', dialect, profile.name);
    return refusedResult('REQUEST_MALFORMED');
  }
  if (isExempt(original, profile)) return EXEMPT_RESULT;
  if (flow.overload() !== null) return unavailable(flow, dialect, profile, 'OVERLOADED', RETRY_AFTER_SECONDS);
  const { requestId, deadlineMs = null } = question;
  const known: KnownQuestion = { profile, caller, original, dialect, requestId, deadlineMs };
  const permit = flow.holdToLimits(caller);
  return permit instanceof Promise
    ? permit.then((late) => askWith(flow, known, late))
    : askWith(flow, known, permit);
}

/** A question whose parts are all known. */
interface KnownQuestion {
  readonly profile: GatewayProfile;
  readonly caller: LimitedCaller;
  readonly original: OriginalRequest;
  readonly dialect: string;
  readonly requestId: string;
  readonly deadlineMs: number | null;
}

function askWith(
  flow: Flow,
  question: KnownQuestion,
  permit: Permit,
): GatewayResult | Promise<GatewayResult> {
  const { dialect, profile } = question;
  if (!permit.isGranted) return unavailable(flow, dialect, profile, 'RATE_LIMITED', permit.retryAfterSeconds);
  let result: GatewayResult | Promise<GatewayResult>;
  try {
    result = ask(flow, question);
  } catch (error) {
    permit.release();
    throw error;
  }
  if (result instanceof Promise) return result.finally(permit.release);
  permit.release();
  return result;
}

/**
 * A repeat is judged like any question, by current evidence and policy. Only if the result is unchanged is it
 * the same decision, which is not recorded or observed again.
 */
function ask(flow: Flow, question: KnownQuestion): GatewayResult | Promise<GatewayResult> {
  const { profile, caller, original, dialect, requestId } = question;
  const subject = findSubject(original, profile);
  if (subject?.ipUnreadable !== undefined) flow.observer.onUnreadableAddress({ why: subject.ipUnreadable });
  const [traceparent] = original.headers['traceparent'] ?? [];
  const repeat = flow.repeats.about(toSigns(question, subject));
  const decide = subject === null ? flow.blockAmbiguous : flow.decide;
  const answer = ({ id, decision }: SettledDecision) => decidedResult(decision, id, profile);
  const fail = (error: unknown) => toUnavailable(flow, question, error);
  try {
    const deadlineMs = shorterOf(profile.deadlineMs, question.deadlineMs);
    // Of a subject that is ambiguous no reading is right, and none is kept.
    const settled = decide(
      subject ?? { ...EMPTY_SUBJECT, action: profile.action },
      { maxAgeMs: null, deadlineMs, caller: caller.id, traceparent },
      { caller: caller.id, entryPoint: dialect, requestId, repeat },
    );
    return settled instanceof Promise ? settled.then(answer, fail) : answer(settled);
  } catch (error) {
    return fail(error);
  }
}

/** The parts that make two questions equal. */
function toSigns(
  { profile, caller, original, dialect }: KnownQuestion,
  subject: Subject | null,
): readonly (string | null | undefined)[] {
  const device = subject?.device.kind === 'shared' ? subject.device.id : null;
  const asked = [dialect, profile.name, caller.id, original.method, original.host, original.target];
  const { telemetryId, accountId, ip, ipUnreadable, userAgent } = subject ?? EMPTY_SUBJECT;
  return [...asked, telemetryId, device, accountId, ip, ipUnreadable, userAgent];
}

/** The result for errors that mean that no decision could be made; all others are rethrown. */
function toUnavailable(flow: Flow, { dialect, profile }: KnownQuestion, error: unknown): GatewayResult {
  const code = error instanceof RiskgateError ? error.code : null;
  if (code !== 'overloaded' && code !== 'decision_log_unavailable') throw error;
  return unavailable(
    flow,
    dialect,
    profile,
    code === 'overloaded' ? 'OVERLOADED' : 'UNRECORDED',
    RETRY_AFTER_SECONDS,
  );
}

function shorterOf(left: number | null, right: number | null): number | null {
  if (left === null || right === null) return left ?? right;
  return Math.min(left, right);
}

function unavailable(
  flow: Flow,
  dialect: string,
  profile: GatewayProfile,
  reason: 'OVERLOADED' | 'RATE_LIMITED' | 'UNRECORDED',
  retryAfterSeconds: number,
): GatewayResult {
  flow.noteRefusal(reason, dialect, profile.name);
  return unavailableResult(reason, profile, retryAfterSeconds);
}

function toDefect({ logger }: Flow, { requestId }: GatewayQuestion, error: unknown): GatewayResult {
  logger.error({ event: 'request.failed', request_id: requestId, err: error }, 'a request failed');
  return DEFECT_RESULT;
}
