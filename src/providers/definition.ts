import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import type { ProviderQuery, RequestOrigin } from '../application/evidence/evidence-source.ts';
import type { ProviderAnswer } from '../application/evidence/provider-answer.ts';
import type { SettledOutcome, Signals } from '../domain/evidence.ts';
import type { SubjectPart } from '../domain/subject.ts';
import type { SubjectPlace } from '../domain/subject-place.ts';
import type { HttpRequest, HttpResponse } from '../platform/http-client.ts';
import type { Settings, SettingValues } from '../platform/setting.ts';
import type { DeclaredSignals, SignalsSchema } from './declared-signals.ts';
import type { ReadNames } from './read-names.ts';

/** Parsed settings, by the names used in `settings`. An optional one that was not set is undefined. */
export type ProviderSettings = Readonly<Record<string, unknown>>;

/** A response whose JSON is unambiguous (`readAnswer`); `json` is undefined where the body is not JSON. */
export interface UpstreamResponse extends Pick<HttpResponse, 'status' | 'headers'> {
  readonly json: unknown;
}

/** The id that examples are about. */
export const EXAMPLE_ID = 'example';

/** The names that a provider's JSON is checked for before the provider reads it. */
interface AnswerBody {
  /**
   * The schemas of the success and of the error. A name that differs from one of theirs only in case makes an
   * answer ambiguous.
   */
  readonly names: readonly ReadNames[];
  /**
   * Top-level members that only a success has, and those that only an error has. Both in one body are a
   * contradiction, and so is a success with an error status.
   */
  readonly successMembers: readonly string[];
  readonly errorMembers: readonly string[];
}

/** What `toAnswer` may use besides the response. */
export interface AnswerContext {
  readonly nowMs: number;
  /** A keyed hash of a raw identifier, hex, for comparing and counting only. */
  readonly hash: (value: string) => string;
}

/** What the request says of itself, to be compared with evidence that is shared between requests. */
export interface RequestToCompare extends RequestOrigin {
  /** The hash of `AnswerContext`: raw values are not in evidence. */
  readonly hash: (value: string) => string;
}

/**
 * Everything riskgate needs to know of one upstream API. All functions are pure and total: a bad payload is
 * an answer (`malformed`), never a throw. `defineProvider` says what the types stand for.
 */
export interface ProviderDefinition<
  Values = ProviderSettings,
  Stored extends Signals = Signals,
  Answered extends Stored = Stored,
> {
  /** Lower case; the name in policies, metrics, answers and `device_ids`. */
  readonly id: string;
  readonly title: string;
  /**
   * The part of the subject it is asked about. What absence means and how evidence is purged follow from it:
   * see domain/subject.ts.
   */
  readonly subject: SubjectPart;
  readonly settings: Settings;
  /**
   * Seconds for which each settled outcome is cached by default. The keys are the outcomes that this provider
   * can settle to.
   */
  readonly ttlSeconds: Readonly<{ ok: number; not_found: number } & Partial<Record<SettledOutcome, number>>>;
  /**
   * The signals as a policy reads them. Policies are type-checked against it, and docs/policy.md is generated
   * from it: every field has a `.describe()`.
   */
  readonly signals: z.ZodObject;
  /** The signals of an id that this provider does not know, or that was missing. */
  readonly notFoundSignals: Answered;
  /** The origin and path prefix to call, for example `https://api.mobilerun.ai/v1`. */
  baseUrl(settings: Values): string;
  /**
   * The request for one id, its path relative to the base URL. Null when a request would change the id (`.`,
   * `..`, a lone surrogate): such an id is unknown by definition.
   */
  toRequest(settings: Values, query: ProviderQuery): HttpRequest | null;
  readonly body: AnswerBody;
  /** Exactly one outcome for any response. Only `readAnswer` calls it, after refusing ambiguous JSON. */
  toAnswer(
    response: UpstreamResponse,
    query: ProviderQuery,
    context: AnswerContext,
  ): ProviderAnswer<Answered>;
  /**
   * The body of a success about the id EXAMPLE_ID, with every member that is read, all invented. It is read
   * before the service is ready, so that the first caller does not wait for the compiler. Absent is not read.
   */
  readonly example?: object;
  /** The stored signals with their ages at `nowMs` added, and with what comparing them with the request gives. */
  present(signals: Stored, nowMs: number, request: RequestToCompare): Stored;
  /**
   * When the subject's id itself expires, Unix milliseconds, from the stored signals; null where they do not
   * tell.
   */
  subjectExpiresAtMs?(signals: Stored): number | null;
  /**
   * When the subject's id was created, Unix milliseconds, from the stored signals; null where they do not
   * tell.
   */
  subjectCreatedAtMs?(signals: Stored): number | null;
  /**
   * The keyed hash of the user's visitor fingerprint, which needs no cookie, from the stored signals; null
   * where they do not tell. Records and activity know the visitor by it.
   */
  visitorOf?(signals: Stored): string | null;
  /** Where the request came from, from the stored signals. Only a provider of the telemetry id can tell. */
  placeOf?(signals: Stored): SubjectPlace;
  /**
   * Imports a local imitation of the API at its real absolute paths, with faults. The service never calls it,
   * and its image lacks the files.
   */
  emulator(): Promise<FastifyPluginAsync<EmulatorOptions>>;
}

/**
 * Checks that a definition reads its settings as their schemas parse them, and answers nothing but the
 * signals that its schema declares. The registry holds definitions without these types.
 */
export function defineProvider<const Declared extends Settings, Schema extends SignalsSchema>(
  definition: ProviderDefinition<SettingValues<Declared>, z.output<Schema>, DeclaredSignals<Schema>> & {
    readonly settings: Declared;
    readonly signals: Schema;
  },
): ProviderDefinition {
  return definition;
}

/** Switches of the emulators; each default is the documented behaviour. */
export interface EmulatorOptions {
  /** The credentials the emulator accepts; any well-formed ones when absent. */
  readonly credentials?: Readonly<Record<string, string>>;
  /**
   * Whether an id exists in this environment now; all do when absent. An id that does not is unknown,
   * whatever its usual answer.
   */
  readonly knows?: (id: string) => boolean;
  /** Mobilerun: the status of an unknown device, 404 or 500. */
  readonly unknownDeviceStatus?: 404 | 500;
  /** Mobilerun: the status of the unsupported-feature error. */
  readonly unsupportedStatus?: number;
}
