import t from 'tap';
import type { DecisionRecord } from '../../../src/domain/decision-log/decision-record.ts';
import { placeOf } from '../../../src/domain/decision-log/record-place.ts';

const placeIn = (...signals: readonly (object | null)[]) =>
  placeOf({
    providers: Object.fromEntries(signals.map((told, place) => [`p${place}`, { signals: told }])),
  } as unknown as Pick<DecisionRecord, 'providers'>);

t.test('takes each from the first provider that says it', async (t) => {
  const first = { country: 'DE', asn_name: 'Netz' };
  const second = { country: 'FR', asn: 7, asn_name: 'Autre' };
  t.same(placeIn(null, first, second), { country: 'DE', asn: 7, asnName: 'Netz' });
  t.same(placeIn(second, first), { country: 'FR', asn: 7, asnName: 'Autre' });
});

t.test('takes nothing of another type', async (t) => {
  t.same(placeIn({ country: 1, asn: '7', asn_name: [] }, null), { country: null, asn: null, asnName: null });
});
