import t from 'tap';
import { activityWithout } from '../../../src/domain/activity/without-provider.ts';

const FACTS = {
  telemetry: { age_seconds: 3 },
  'activity.account': { decisions_1h: 2, countries_24h: 1, asns_7d: 2, known_country: true, known_ip: true },
  'activity.visitor': { accounts_24h: 1 },
  'activity.hardware': { devices_remembered: 1 },
};

t.test('forgets the visitor and the place with a provider of telemetry ids', async (t) => {
  t.same(activityWithout({ provider: 'stytch', isOfTelemetry: true }, FACTS), {
    ...FACTS,
    'activity.account': { decisions_1h: 2, known_ip: true },
    'activity.visitor': 'unknown',
  });
  const absent = { 'activity.account': 'none', 'activity.visitor': 'none' } as const;
  const without = activityWithout({ provider: 'stytch', isOfTelemetry: true }, absent);
  t.same(without, { 'activity.account': 'none', 'activity.visitor': 'unknown' }, 'it might have named one');
});

t.test('forgets the hardware with the provider that names it', async (t) => {
  const without = activityWithout({ provider: 'mobilerun', isOfTelemetry: false }, FACTS);
  t.same(without, { ...FACTS, 'activity.hardware': 'unknown' });
  const other = activityWithout({ provider: 'prefactor', isOfTelemetry: false }, FACTS);
  t.same(other, FACTS, 'and nothing with another');
  t.same(
    activityWithout({ provider: 'mobilerun', isOfTelemetry: false }, {}),
    {},
    'what no rule reads stays so',
  );
});
