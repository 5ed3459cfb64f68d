import t from 'tap';
import { z } from 'zod';
import { createToRunValues } from '../../../src/domain/policy/run-values.ts';
import { signalTypeOf } from '../../../src/domain/policy/signal-type.ts';

const type = signalTypeOf(
  z.object({
    found: z.boolean(),
    asn: z.number().int(),
    score: z.number(),
    ports: z.array(z.number().int()),
    names: z.array(z.string()),
    seen: z.object({ at: z.number().int() }),
  }),
);

t.test('gives integers as integers of CEL, at every depth, and the rest as it is', async (t) => {
  const signals = { found: true, asn: 5, score: 5, ports: [1, 2], names: ['x'], seen: { at: 7 } };
  t.same(createToRunValues(type, null)(signals), {
    ...signals,
    asn: 5n,
    ports: [1n, 2n],
    seen: { at: 7n },
  });
  t.same(signals.asn, 5, 'evidence is shared, and not written to');
});

t.test('adds nothing for what is absent', async (t) => {
  t.same(createToRunValues(type, null)({ found: true }), { found: true });
});

t.test('copies nothing where no rule reads an integer', async (t) => {
  const signals = { found: true, asn: 5, names: ['x'] };
  t.equal(createToRunValues(type, ['found', 'names'])(signals), signals);
  t.same(createToRunValues(type, ['asn'])({ asn: 5, ports: [1] }), { asn: 5n, ports: [1] });
});

t.test('leaves evidence that does not fit its schema as it is', async (t) => {
  const odd = { asn: 5.5, ports: 'none', seen: null };
  t.same(createToRunValues(type, null)(odd), odd);
});

t.test('has no type for a list of objects', async (t) => {
  t.throws(() => signalTypeOf(z.object({ odd: z.array(z.object({})) })), /"odd"/);
});
