import t from 'tap';
import type { EvidenceStore } from '../../src/application/ports.ts';
import { createPurgeEvidence } from '../../src/application/purge-evidence.ts';
import { createSource, disabledSlot, slotOf } from './sources.ts';

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
  ];
  return { purge: createPurgeEvidence(slots, store), purged };
}

t.test('purges the keys of enabled providers that are asked about the id, and reports them', async (t) => {
  const { purge, purged } = open();
  t.strictSame(await purge({ telemetryId: 'a', deviceId: null }), { providers: ['tele'], isComplete: true });
  t.strictSame(await purge({ telemetryId: null, deviceId: 'b' }), { providers: ['phone'], isComplete: true });
  t.strictSame(await purge({ telemetryId: 'a', deviceId: 'b' }), {
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
  t.strictSame(await purge({ telemetryId: 'a', deviceId: null }), { providers: ['tele'], isComplete: false });
});

t.test('purges nothing for no id', async (t) => {
  const { purge } = open();
  t.strictSame(await purge({ telemetryId: null, deviceId: null }), { providers: [], isComplete: true });
});
