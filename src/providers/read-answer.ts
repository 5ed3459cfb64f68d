import type { ProviderQuery } from '../application/evidence/evidence-source.ts';
import type { ProviderAnswer } from '../application/evidence/provider-answer.ts';
import type { HttpResponse } from '../platform/http-client.ts';
import { mediaTypeOf, readJsonResponse } from '../platform/json-response.ts';
import { AMBIGUOUS_JSON, CONTRADICTION, type Failure, toFailedAnswer } from './answer.ts';
import type { AnswerContext, ProviderDefinition } from './definition.ts';
import { hasCaseVariant } from './read-names.ts';

type ReadableDefinition = Pick<ProviderDefinition, 'body' | 'toAnswer'>;

/** Members by which vendors repeat the HTTP status in a body. */
const STATUS_MEMBERS = ['status_code', 'status'];
const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/**
 * Reads a provider's answer from a response; every provider uses it. JSON that two readers could read
 * differently is `malformed` before the provider sees it: a duplicate name, a name that differs from an
 * expected one in case, half a surrogate pair, a status that is not that of the response, success and error
 * in one body.
 */
export function readAnswer(
  definition: ReadableDefinition,
  response: HttpResponse,
  query: ProviderQuery,
  context: AnswerContext,
): ProviderAnswer {
  const reading = readJsonResponse(response);
  const json = reading.kind === 'json' ? reading.value : undefined;
  const failure = reading.kind === 'ambiguous' ? AMBIGUOUS_JSON : findDoubt(definition, response, json);
  if (failure !== null) return toFailedAnswer(failure, response, context.nowMs, null);
  return definition.toAnswer({ status: response.status, headers: response.headers, json }, query, context);
}

function findDoubt({ body }: ReadableDefinition, response: HttpResponse, json: unknown): Failure | null {
  if (typeof json !== 'object' || json === null) return null;
  if (body.names.some((names) => hasCaseVariant(json, names))) return AMBIGUOUS_JSON;
  return contradicts(json, response, body) ? CONTRADICTION : null;
}

function contradicts(
  json: object,
  { status, headers }: HttpResponse,
  body: ProviderDefinition['body'],
): boolean {
  if (STATUS_MEMBERS.some((name) => saysOtherStatus(Reflect.get(json, name), status))) return true;
  const isSuccess = body.successMembers.some((name) => isSaid(Reflect.get(json, name)));
  if (isSuccess && (status >= 400 || body.errorMembers.some((name) => isSaid(Reflect.get(json, name)))))
    return true;
  return status >= 200 && status <= 299 && mediaTypeOf(headers) === PROBLEM_MEDIA_TYPE;
}

/** True for a number, or a text that begins with one, that differs from the status. */
function saysOtherStatus(said: unknown, status: number): boolean {
  const digits = typeof said === 'string' ? /^\s*(\d+)/.exec(said)?.[1] : undefined;
  const number = digits === undefined ? said : Number(digits);
  return typeof number === 'number' && number !== status;
}

/** False for the values that vendors send in place of an absent one. */
function isSaid(value: unknown): boolean {
  return (
    value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)
  );
}
