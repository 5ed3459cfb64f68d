import t from 'tap';
import { z } from 'zod';
import { hasCaseVariant, toReadNames } from '../../src/providers/read-names.ts';

const NAMES = toReadNames(
  z.object({
    status: z.string(),
    Kind: z.number().nullish().catch(null),
    inner: z.object({ is_ok: z.boolean() }).nullish(),
    list: z
      .array(z.object({ code: z.string() }))
      .max(3)
      .nullish(),
    pair: z.tuple([z.number(), z.number()]).nullish(),
  }),
);

t.test('finds a name in another case at every depth that is read', async (t) => {
  for (const value of [
    { Status: 1 },
    { status: 1, STATUS: 1 },
    { kind: 1 },
    { ſtatus: 1 },
    { '\u212aind': 1 },
    { inner: { Is_OK: true } },
    { list: [{ code: 'a' }, { Code: 'b' }] },
    { list: { Code: 'b' } },
    { List: [] },
  ])
    t.equal(hasCaseVariant(value, NAMES), true, JSON.stringify(value));
});

t.test('finds none in names that nobody reads, nor in what is no object', async (t) => {
  for (const value of [
    null,
    1,
    'Status',
    [],
    [{ Status: 1 }],
    { status: { Status: 1 } },
    { other: { Status: 1 }, Other: 1 },
    { status_: 1, pair: { A: 1 } },
    { list: [[{ Code: 1 }]] },
    JSON.parse('{"__proto__":{"Status":1},"constructor":1}'),
  ])
    t.equal(hasCaseVariant(value, NAMES), false, JSON.stringify(value));
});
