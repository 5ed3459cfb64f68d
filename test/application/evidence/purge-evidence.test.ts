import t from 'tap';
import type { EvidenceStore } from '../../../src/application/evidence/evidence-store.ts';
import { createPurgeEvidence } from '../../../src/application/evidence/purge-evidence.ts';
import { createSource, disabledSlot, slotOf } from '../sources.ts';

function open(isReached = true) {
  const purged: (readonly string[])[] = [];
  const store: EvidenceStore = {
    get: () => null,
    getOrClaim: () => null,
    release: () => {},
    set: () => {},
    onPurge: () => {},
    purge: async (keys) => {
      purged.push(keys);
      return isReached;
    },
  };
  const slots = [
    slotOf(createSource('tele', 'telemetry_id')),
    slotOf(createSource('phone', 'device_id')),
    disabledSlot('cookie', 'device_id'),
    slotOf(createSource('address', 'ip')),
    disabledSlot('account', 'account_id'),
  ];
  return { purge: createPurgeEvidence(slots, store), purged };
}

t.test('purges the keys of enabled providers that are asked about the id, and reports them', async (t) => {
  const { purge, purged } = open();
  t.strictSame(await purge({ telemetry_id: 'a' }), { providers: ['tele'], isComplete: true });
  t.strictSame(await purge({ device_id: 'b' }), { providers: ['phone'], isComplete: true });
  t.strictSame(await purge({ telemetry_id: 'a', device_id: 'b' }), {
    providers: ['tele', 'phone'],
    isComplete: true,
  });
  const [tele, phone] = ['tele', 'phone'].map((id, place) =>
    ['', 'older-'].map((older) => `${id}:${older}hash-of-${place === 0 ? 'a' : 'b'}`),
  );
  t.strictSame(
    purged,
    [tele, phone, [...(tele ?? []), ...(phone ?? [])]],
    'under every hash key that is known',
  );
});

t.test('says when the store could not be reached', async (t) => {
  const { purge } = open(false);
  t.strictSame(await purge({ telemetry_id: 'a' }), { providers: ['tele'], isComplete: false });
});

t.test('purges nothing for no id', async (t) => {
  const { purge } = open();
  t.strictSame(await purge({}), { providers: [], isComplete: true });
});

t.test('purges an address in its one spelling, from those alone who are asked about addresses', async (t) => {
  const { purge, purged } = open();
  const report = await purge({ ip: '[::ffff:203.0.113.9]:443' });
  t.strictSame(report, { providers: ['address'], isComplete: true });
  t.strictSame(purged, [['address:hash-of-203.0.113.9', 'address:older-hash-of-203.0.113.9']]);
});

t.test('purges nothing for an address that nobody was ever asked about', async (t) => {
  const { purge } = open();
  t.strictSame(await purge({ ip: '203.0.113' }), { providers: [], isComplete: true });
});
