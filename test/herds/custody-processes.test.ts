import t from 'tap';
import { createEmulatorServer } from '../../src/emulators/server.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { askExplained, runAll, startReplicas } from '../support/start-replicas.ts';
import { VENDORS } from '../support/vendors.ts';

const CROWD = 1_000;
/** Enough at once to keep both processes racing, and no more sockets than a machine grants. */
const IN_FLIGHT = 200;

interface Told {
  readonly decision: string;
  readonly reasons: readonly { readonly code: string }[];
  readonly explanation: {
    readonly signals: { readonly telemetry: { uses: number; bound_elsewhere: boolean } | null };
  };
}

const redis = await startRedisServer(t);
const emulators = createEmulatorServer({ providers: VENDORS });
const upstream = await emulators.app.listen({ host: '127.0.0.1', port: 0 });
t.teardown(() => emulators.app.close());

t.test(`binds one of ${CROWD} devices that ask two processes at once, and tells the others`, async (t) => {
  const replicas = await startReplicas(t, { upstream, redisUrl: redis.url });
  const telemetry_id = 'fault-slow-0-contested';
  const jobs = Array.from({ length: CROWD }, (_, index) => {
    const body = { telemetry_id, device_id: `fault-slow-0-device-${index}` };
    return () => askExplained<Told>(replicas[index % 2 === 0 ? 0 : 1].origin, body);
  });
  const answers = await runAll(jobs, IN_FLIGHT);
  const told = answers.map(({ explanation }) => explanation.signals.telemetry);
  t.equal(told.filter((telemetry) => telemetry === null).length, 0, 'custody was known to all');
  t.equal(told.filter((telemetry) => telemetry?.bound_elsewhere === false).length, 1, 'one is bound');
  t.equal(told.filter((telemetry) => telemetry?.bound_elsewhere).length, CROWD - 1, 'the others are told');
  t.same(
    told.map((telemetry) => telemetry?.uses).sort((left, right) => (left ?? 0) - (right ?? 0)),
    told.map((_, index) => index + 1),
    'every use has its own number',
  );
  const replayed = answers.filter(({ reasons }) => reasons.some(({ code }) => code === 'TELEMETRY_REPLAYED'));
  t.equal(replayed.length, CROWD - 1);
  t.ok(replayed.every(({ decision }) => decision === 'BLOCK'));
  const holder = told.findIndex((telemetry) => telemetry?.bound_elsewhere === false);
  for (const { origin } of replicas) {
    const again = await askExplained<Told>(origin, {
      telemetry_id,
      device_id: `fault-slow-0-device-${holder}`,
    });
    t.equal(again.decision, 'ALLOW', 'the holder goes on, on both');
  }
});
