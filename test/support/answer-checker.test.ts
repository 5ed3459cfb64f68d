import { readFileSync } from 'node:fs';
import t from 'tap';
import { createAnswerChecker, type ObservedAnswer } from './answer-checker.ts';

const document = JSON.parse(readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8'));
const check = createAnswerChecker(document);

const decision = document.components.schemas.Decision.examples[0];
const problem = document.components.schemas.Problem.examples[0];

const GOOD: ObservedAnswer = {
  method: 'POST',
  path: '/v1/decide',
  status: 200,
  headers: {
    'content-type': 'application/json; charset=utf-8',
    'x-request-id': 'a',
    'x-decision-id': decision.decision_id,
    'server-timing': 'decide;dur=1',
  },
  body: JSON.stringify(decision),
};
const REFUSED: ObservedAnswer = {
  ...GOOD,
  status: 400,
  headers: { 'content-type': 'application/problem+json', 'x-request-id': problem.request_id },
  body: JSON.stringify(problem),
};
const LOST: ObservedAnswer = {
  ...REFUSED,
  path: '/nowhere',
  status: 404,
  body: JSON.stringify({ ...problem, status: 404 }),
};

function without(answer: ObservedAnswer, header: string): ObservedAnswer {
  return {
    ...answer,
    headers: Object.fromEntries(Object.entries(answer.headers).filter(([name]) => name !== header)),
  };
}

function saying(answer: ObservedAnswer, change: object): ObservedAnswer {
  return { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), ...change }) };
}

t.test('passes what is described', async (t) => {
  for (const answer of [GOOD, REFUSED, LOST]) t.equal(check(answer), null);
  t.equal(
    check({
      ...GOOD,
      method: 'GET',
      path: '/metrics',
      headers: { ...GOOD.headers, 'content-type': 'text/plain' },
      body: 'x 1\n',
    }),
    null,
  );
});

/** Answers that are wrong in one way each. */
const WRONG: readonly (readonly [string, ObservedAnswer])[] = [
  ['a status that is not described', { ...GOOD, status: 201 }],
  ['a 500 where none is described', { ...LOST, status: 500 }],
  ['a verdict that does not exist', saying(GOOD, { decision: 'MAYBE' })],
  ['a decision without reasons', saying(GOOD, { reasons: undefined })],
  ['an id that is none', saying(GOOD, { decision_id: 'x' })],
  ['a time that is none', saying(GOOD, { decided_at: 'now' })],
  ['a reason of the wrong shape', saying(GOOD, { reasons: [{ code: 1 }] })],
  ['a missing header of a decision', without(GOOD, 'x-decision-id')],
  ['a missing request id', without(REFUSED, 'x-request-id')],
  ['another request id in the header', { ...REFUSED, headers: { ...REFUSED.headers, 'x-request-id': 'b' } }],
  ['another media type', { ...GOOD, headers: { ...GOOD.headers, 'content-type': 'text/html' } }],
  ['a problem as plain JSON', { ...LOST, headers: { ...LOST.headers, 'content-type': 'application/json' } }],
  ['a body that is cut', { ...GOOD, body: GOOD.body.slice(0, -1) }],
  ['an empty body', { ...GOOD, body: '' }],
  ['a problem that says another status', saying(REFUSED, { status: 401 })],
  ['a problem without a code', saying(REFUSED, { code: undefined })],
  ['a 401 that names no scheme', { ...saying(REFUSED, { status: 401 }), status: 401 }],
  ['a 503 that names no time', { ...saying(REFUSED, { status: 503 }), status: 503 }],
  ['an answer at a path that is not described', { ...GOOD, path: '/v2/decide' }],
  ['an answer to a method that is not described', { ...GOOD, method: 'PUT' }],
];

for (const [what, answer] of WRONG) {
  t.test(`catches ${what}`, async (t) => {
    t.type(check(answer), 'string');
  });
}
