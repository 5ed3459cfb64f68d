import t from 'tap';
import { compileText } from '../../src/app/compile-text.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { policyOf } from '../application/promotion/open-promotions.ts';

const POLICY = policyOf('!stytch.found');
const TEXT = POLICY.text ?? '';
const context = { providers: PROVIDERS };

/** A check that is late so many times. */
function openCheck(late: number) {
  let checks = 0;
  return {
    checks: () => checks,
    check: async () => {
      checks += 1;
      if (checks <= late) throw Object.assign(new Error('late'), { code: 'TIMEOUT' });
      return { ok: false as const, mistakes: ['1:1: bad'] };
    },
  };
}

t.test('compiles a text in a thread', async (t) => {
  t.match(await compileText(TEXT, context), { ok: true, value: { hash: POLICY.hash } });
  t.match(await compileText('policy: {', context), { ok: false, mistakes: [/^\d+:\d+: /] });
});

t.test('tries a check again that has failed, as often as it is told, and no mistake', async (t) => {
  const late = { ok: false, mistakes: ['cannot be checked (TIMEOUT)'] };
  const once = openCheck(1);
  t.same(await compileText(TEXT, context, { check: once.check }), late);
  const twice = openCheck(2);
  t.match(await compileText(TEXT, context, { check: twice.check, attempts: 3 }), { mistakes: ['1:1: bad'] });
  t.equal(twice.checks(), 3);
  const always = openCheck(9);
  t.same(await compileText(TEXT, context, { check: always.check, attempts: 3 }), late);
  t.equal(always.checks(), 3);
  const never = openCheck(0);
  await compileText(TEXT, context, { check: never.check, attempts: 3 });
  t.equal(never.checks(), 1);
});
