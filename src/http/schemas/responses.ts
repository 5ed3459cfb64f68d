import { type JsonSchema, toJsonSchema } from './json-schema.ts';
import { problemSchema } from './problem.ts';

const DESCRIPTIONS = {
  400: 'The request is not valid; `errors` points to each mistake.',
  401: 'No API key, or an unknown one.',
  403: 'The API key lacks the scope.',
  404: 'There is nothing at this address.',
  405: 'The method is not allowed here.',
  413: 'The body is larger than 16 KiB.',
  415: 'The body is not application/json.',
  500: 'A defect of ours. There is no decision: treat it as a refusal to decide.',
  503: 'The service refuses to answer for now; try again after `Retry-After` seconds.',
} as const;

/** The `$id` under which the problem schema is shared. */
export const PROBLEM_ID = 'Problem';

/** The shared schemas that routes refer to. */
export const SHARED_SCHEMAS: readonly JsonSchema[] = [
  { $id: PROBLEM_ID, description: 'RFC 9457 problem details.', ...toJsonSchema(problemSchema, 'output') },
];

/** The problem responses of a route, one for each status. */
export function problemResponses(...statuses: (keyof typeof DESCRIPTIONS)[]): Record<number, JsonSchema> {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: DESCRIPTIONS[status],
        content: { 'application/problem+json': { schema: { $ref: `${PROBLEM_ID}#` } } },
      },
    ]),
  );
}
