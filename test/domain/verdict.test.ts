import t from 'tap';
import { RiskgateError } from '../../src/domain/errors.ts';
import { isDefinite, OUTCOMES } from '../../src/domain/evidence.ts';
import { stricterOf, strictnessOf, VERDICTS } from '../../src/domain/verdict.ts';

t.test('orders verdicts ALLOW, CHALLENGE, BLOCK', async (t) => {
  t.same(VERDICTS.map(strictnessOf), [0, 1, 2]);
  t.equal(stricterOf('ALLOW', 'CHALLENGE'), 'CHALLENGE');
  t.equal(stricterOf('BLOCK', 'CHALLENGE'), 'BLOCK');
  t.equal(stricterOf('ALLOW', 'ALLOW'), 'ALLOW');
});

t.test('takes four outcomes for definite', async (t) => {
  t.same(
    OUTCOMES.filter((outcome) => isDefinite(outcome)),
    ['ok', 'not_found', 'unsupported', 'skipped'],
  );
});

t.test('keeps what a caller may read apart from what the log says', async (t) => {
  const plain = new RiskgateError('internal', 'for the log');
  t.match(plain, {
    name: 'RiskgateError',
    code: 'internal',
    message: 'for the log',
    publicDetail: null,
    fields: [],
  });
  const fields = [{ pointer: '/ip', detail: 'is wrong' }];
  const full = new RiskgateError('invalid_request', 'for the log', {
    publicDetail: 'for the caller',
    fields,
  });
  t.match(full, { publicDetail: 'for the caller', fields });
});
