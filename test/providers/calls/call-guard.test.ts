import t from 'tap';
import type { ProviderAnswer } from '../../../src/application/evidence/provider-answer.ts';
import type { HttpResult } from '../../../src/platform/http-client.ts';
import { createCallGuard } from '../../../src/providers/calls/call-guard.ts';
import { createManualClock } from '../../support/test-app.ts';

const RESPONSE: HttpResult = { kind: 'response', response: { status: 200, headers: {}, body: '' } };
const OK: ProviderAnswer = {
  outcome: 'ok',
  signals: { found: true },
  upstreamRequestId: null,
  validUntilMs: null,
};
/** Calls of which the circuit opens when all of them fail. */
const CALLS_MIN = 10;

/** A guard whose provider does not answer for the ids in `failing`. */
function open() {
  const { monotonicMs, advance } = createManualClock();
  const failing = new Set<string>();
  const held = new Map<string, PromiseWithResolvers<void>>();
  const guard = createCallGuard({
    client: {
      exchange: async ({ path }) => {
        await held.get(path)?.promise;
        return failing.has(path) ? { kind: 'timeout' } : RESPONSE;
      },
      close: async () => {},
    },
    budgetMs: 1_000,
    concurrencyMax: 8,
    queueMax: 0,
    monotonicMs,
    random: () => 0,
    onCircuitChange: () => {},
  });
  const ask = async (id: string) => {
    const request = { method: 'GET', path: id, headers: {} } as const;
    return (await guard.call({ key: id, request, toAnswer: () => OK })).answer.outcome;
  };
  const askOften = async (id: string) => {
    for (let call = 0; call < 2 * CALLS_MIN; call += 1) await ask(id);
  };
  /** Begins a call that ends when the function is called. */
  const begin = (id: string) => {
    const gate = Promise.withResolvers<void>();
    held.set(id, gate);
    const asked = ask(id);
    return () => {
      held.delete(id);
      gate.resolve();
      return asked;
    };
  };
  return { guard, ask, askOften, begin, failing, advance };
}

t.test('takes no id that fails among others that are answered for an outage', async (t) => {
  const { guard, ask, askOften, failing } = open();
  failing.add('odd');
  await ask('odd');
  t.equal(await ask('other'), 'ok');
  await askOften('odd');
  t.equal(guard.refuses(), false);
  failing.add('one');
  await askOften('one');
  t.equal(guard.refuses(), true, 'one that has not failed before speaks of the provider');
});

t.test('knows no odd id any more after an outage', async (t) => {
  const { guard, ask, askOften, failing, advance } = open();
  failing.add('odd').add('one');
  await ask('odd');
  await ask('other');
  await askOften('one');
  t.equal(await ask('other'), 'circuit_open');
  advance(1_000);
  t.equal(await ask('other'), 'ok', 'the probe');
  await askOften('odd');
  t.equal(guard.refuses(), true);
});

t.test('believes a probe that fails, also of an odd id', async (t) => {
  const { guard, ask, askOften, begin, failing, advance } = open();
  failing.add('odd').add('one');
  const endOdd = begin('odd');
  const endOther = begin('other');
  await askOften('one');
  t.equal(guard.refuses(), true);
  t.equal(await endOdd(), 'timeout');
  t.equal(await endOther(), 'ok', 'both began before the circuit opened');
  advance(1_000);
  t.equal(await ask('odd'), 'timeout', 'the probe');
  t.equal(guard.refuses(), true);
});
