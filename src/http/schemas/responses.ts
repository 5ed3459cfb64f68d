import { type JsonSchema, toJsonSchema } from './json-schema.ts';
import { problemSchema } from './problem.ts';

const DESCRIPTIONS = {
  400: 'The request is not valid; `errors` points to each mistake.',
  401: 'No API key, or an unknown one; `detail` says how to send it.',
  403: 'The API key lacks the scope.',
  404: 'There is nothing at this address.',
  405: 'The method is not allowed here.',
  409: 'Another request is in the way, most likely one with the same `Idempotency-Key` that is still being answered; try again after `Retry-After` seconds.',
  413: 'The body is too large: more than 16 KiB, for a batch 128 KiB.',
  415: 'The body is not application/json, or compressed.',
  422: 'The `Idempotency-Key` was used for another request.',
  429: 'More requests than the limit of the API key, or too many with wrong keys from one address; try again after `Retry-After` seconds.',
  500: 'A defect of ours. There is no decision: treat it as a refusal to decide.',
  503: 'The service refuses to answer for now; try again after `Retry-After` seconds.',
} as const;

type ProblemStatus = keyof typeof DESCRIPTIONS;

/** The `$id` under which the problem schema is shared. */
export const PROBLEM_ID = 'Problem';

/** The shared schemas that routes refer to. */
export const SHARED_SCHEMAS: readonly JsonSchema[] = [
  {
    $id: PROBLEM_ID,
    description: 'RFC 9457 problem details.',
    ...toJsonSchema(problemSchema, 'output'),
    examples: [
      {
        type: 'about:blank',
        title: 'The request is not valid',
        status: 400,
        code: 'invalid_request',
        request_id: '01932f4e-7c1a-7d3e-9c55-0d6a3c1f2b4e',
        errors: [{ pointer: '/device_id', detail: 'must be string,null' }],
      },
    ],
  },
];

/**
 * Marks a header that never fails to come, for the OpenAPI document: a header is no JSON Schema, and has no
 * place of its own for it here.
 */
export const ALWAYS_SENT = 'x-always-sent';

/** A text that comes with every answer of its status. */
export const sentText = (description: string) => ({ description, type: 'string', [ALWAYS_SENT]: true });

/** On every answer. */
export const REQUEST_ID_HEADER = {
  'x-request-id': sentText("The request's own X-Request-ID where it is safe to repeat, else a new UUIDv7."),
};

/** On every answer that a client may keep for a second and ask about again. */
export const TAG_HEADERS = {
  ...REQUEST_ID_HEADER,
  etag: sentText('A weak entity tag, for `If-None-Match`.'),
  'cache-control': sentText('`private, max-age=1`.'),
};

/** The request header of those answers. */
export const TAG_REQUEST_HEADERS: JsonSchema = {
  type: 'object',
  properties: {
    'if-none-match': { description: 'The `ETag` of the answer that the client has.', type: 'string' },
  },
};

/** The answer to an `If-None-Match` that still holds. */
export const NOT_MODIFIED = {
  description: 'Nothing has changed; the log was not read.',
  headers: TAG_HEADERS,
  type: 'null',
};

const RETRY_AFTER = { 'retry-after': sentText('Seconds after which another try makes sense.') };

/** The headers that some statuses bring beside those of every answer. */
const STATUS_HEADERS: { readonly [Status in ProblemStatus]?: JsonSchema } = {
  401: { 'www-authenticate': sentText('`Bearer`, RFC 6750.') },
  405: { allow: sentText('The methods that are.') },
  415: {
    accept: sentText('The media type that is read.'),
    'accept-encoding': sentText('`identity`: no compression is undone.'),
  },
  409: RETRY_AFTER,
  429: RETRY_AFTER,
  503: RETRY_AFTER,
};

/** The problem responses of a route, one for each status. */
export function problemResponses(...statuses: ProblemStatus[]): Record<number, JsonSchema> {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: DESCRIPTIONS[status],
        headers: { ...REQUEST_ID_HEADER, ...STATUS_HEADERS[status] },
        content: { 'application/problem+json': { schema: { $ref: `${PROBLEM_ID}#` } } },
      },
    ]),
  );
}

/** The 409 of a route where another try alone changes nothing, so that it says no time. */
export function conflictResponse(description: string): Record<number, JsonSchema> {
  const [conflict] = Object.values(problemResponses(409));
  return { 409: { ...conflict, description, headers: REQUEST_ID_HEADER } };
}

/** What can be the id of a decision. */
export const DECISION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The id in the address of a decision. What is no UUID is not known, like any other unknown id. */
export function toDecisionIdParams(): JsonSchema {
  const id = { type: 'string', description: 'The `decision_id` of an answer, a UUIDv7.' };
  return { type: 'object', properties: { decision_id: id }, required: ['decision_id'] };
}
