import type { FieldError } from '../../domain/errors.ts';
import { failure, type Result, success } from '../../domain/result.ts';
import { hasText, readAddress, type Subject } from '../../domain/subject.ts';
import {
  type EvaluationRequest,
  type EvaluationsRequest,
  evaluationRequestSchema,
} from '../schemas/authzen.ts';
import { tellProperties } from './tell-properties.ts';

const USER_AGENT_LENGTH_MAX = 1024;
const TELEMETRY_ID_LENGTH_MAX = 256;
/** As many as one answer tells. */
const MISTAKES_MAX = 32;

/** The subject of one question, or every mistake in it. */
export function readEvaluation(body: unknown): Result<Subject, FieldError> {
  const checked = evaluationRequestSchema.safeParse(body);
  if (checked.success) return toSubject(checked.data);
  return failure(
    checked.error.issues.slice(0, MISTAKES_MAX).map(({ path, message }) => ({
      pointer: path.map((part) => `/${escapePointer(String(part))}`).join(''),
      detail: message,
    })),
  );
}

/** Fields that the standard requires of each entity: one that an evaluation leaves out is the default's. */
const REQUIRED = { subject: ['type', 'id'], resource: ['type', 'id'], action: ['name'] } as const;

/**
 * One evaluation with what the request says for all of them: an entity of its own replaces the whole default,
 * but for required fields that it leaves out.
 */
export function withDefaults(item: unknown, defaults: EvaluationsRequest): unknown {
  if (!isObject(item)) return item;
  const merged: Record<string, unknown> = { context: item['context'] ?? defaults.context };
  for (const [name, fields] of Object.entries(REQUIRED)) {
    const own = item[name];
    const common = defaults[name];
    merged[name] = own === undefined ? common : isObject(own) ? complete(own, common, fields) : own;
  }
  if (merged['context'] === undefined) delete merged['context'];
  return merged;
}

function complete(
  own: Readonly<Record<string, unknown>>,
  common: unknown,
  fields: readonly string[],
): Readonly<Record<string, unknown>> {
  if (!isObject(common)) return own;
  const left = fields.filter((field) => own[field] === undefined && common[field] !== undefined);
  return { ...own, ...Object.fromEntries(left.map((field) => [field, common[field]])) };
}

function toSubject(request: EvaluationRequest): Result<Subject, FieldError> {
  const { subject, resource, action, context } = request;
  const telemetry = findTelemetryId(request);
  const { ip, user_agent: userAgent } = context ?? {};
  const mistakes = [...telemetry.mistakes];
  if (isGiven(userAgent) && !isText(userAgent, USER_AGENT_LENGTH_MAX))
    mistakes.push(notText('/context/user_agent', USER_AGENT_LENGTH_MAX));
  if (mistakes.length > 0) return failure(mistakes);
  return success({
    telemetryId: telemetry.id,
    device: { kind: 'shared', id: resource.id },
    action: action.name,
    accountId: subject.id,
    userAgent: hasText(userAgent as string | null) ? (userAgent as string) : undefined,
    properties: tellProperties({
      subject: subject.properties,
      resource: resource.properties,
      action: action.properties,
    }),
    // An address that cannot be read is unknown, and never absent.
    ...(isGiven(ip) && readAddress(typeof ip === 'string' ? ip : '')),
  });
}

/** The first place that holds one counts. */
function findTelemetryId({ subject, resource, context }: EvaluationRequest): {
  readonly id: string | null;
  readonly mistakes: readonly FieldError[];
} {
  const places = [
    ['/subject/properties/telemetry_id', subject.properties?.['telemetry_id']],
    ['/resource/properties/telemetry_id', resource.properties?.['telemetry_id']],
    ['/context/telemetry_id', context?.['telemetry_id']],
  ] as const;
  const found = places.find(([, value]) => isGiven(value));
  if (found === undefined) return { id: null, mistakes: [] };
  const [pointer, value] = found;
  return isText(value, TELEMETRY_ID_LENGTH_MAX)
    ? { id: value, mistakes: [] }
    : { id: null, mistakes: [notText(pointer, TELEMETRY_ID_LENGTH_MAX)] };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function isText(value: unknown, lengthMax: number): value is string {
  return typeof value === 'string' && value.length <= lengthMax;
}

function notText(pointer: string, lengthMax: number): FieldError {
  return { pointer, detail: `must be a string of at most ${lengthMax} characters` };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
