import { hash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readConfiguration } from '../../src/app/read-configuration.ts';
import { findTool, HELM } from '../support/deployment-tools.ts';
import { fillVolume } from '../support/kubelet-volume.ts';
import { PLUG_INS } from '../support/plug-ins.ts';
import { ROOT } from '../support/start-program.ts';
import { createRender, type Manifest, only } from './helm-chart.ts';

const MOUNTS = '/etc/riskgate';

t.test('the service takes what the chart mounts, and every file in it', async (t) => {
  const helm = findTool(t, HELM);
  if (helm === null) return;
  const folder = t.testdir();
  const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
  const rendered = createRender(
    helm,
    folder,
  )({
    apiKeys: { text: `keys: [{id: gateway, sha256: ${hash('sha256', randomBytes(32))}, scopes: [decide]}]` },
    secrets: {
      values: {
        ID_HASH_KEY: randomBytes(32).toString('base64'),
        REDIS_URL: 'redis://redis:6379',
        MOBILERUN_API_KEY: randomBytes(8).toString('hex'),
      },
      files: { 'soc.secret': `whsec_${randomBytes(32).toString('base64')}` },
    },
    settings: { DECISION_DEADLINE_MS: 800, CACHE_ENTRIES_MAX: 1_000_000, METRICS: false },
    policy: read('policies/strict.yaml'),
    candidates: { next: read('policies/default.yaml') },
    gatewayProfiles: 'profiles: {shop: {action: login}}',
    alerts: 'alerts: {blocks: {when: block_rate, above: 0.2, window: 15m}}',
    webhooks: `targets: {soc: {url: "https://hooks.example/", secret_file: ${MOUNTS}/secrets/soc.secret}}`,
    sharedSignals: `streams: {idp: {issuer: "https://idp.example", audience: "https://risk.example", jwks_uri: "https://idp.example/jwks"}}`,
    dataDir: { type: 'emptyDir' },
    grpc: { enabled: true },
  });
  t.equal(rendered.mistake, null);
  const { containers, volumes } = only(rendered, 'Deployment')['spec'].template.spec as {
    containers: {
      env: { name: string; value: string }[];
      volumeMounts: { name: string; mountPath: string }[];
    }[];
    volumes: { name: string; secret?: { secretName: string }; configMap?: { name: string } }[];
  };
  const place = (text: string) => text.replaceAll(MOUNTS, folder);
  for (const { name, mountPath } of containers[0]?.volumeMounts ?? []) {
    const volume = volumes.find((each) => each.name === name);
    const source = volume?.secret?.secretName ?? volume?.configMap?.name;
    if (source === undefined) continue;
    const object = only(rendered, volume?.secret ? 'Secret' : 'ConfigMap', source);
    fillVolume(place(mountPath), filesOf(object, place), 0o440);
  }
  const env = Object.fromEntries(containers[0]?.env.map(({ name, value }) => [name, place(value)]) ?? []);
  const config = readConfiguration({ HOST: '0.0.0.0', ...env }, PLUG_INS);
  t.strictSame(config.ok ? [] : config.mistakes, []);
  if (!config.ok) return;
  t.match(config.value, {
    policyFile: `${folder}/config/policy.yaml`,
    policyCandidates: [`${folder}/config/candidate-next.yaml`],
    decisionDeadlineMs: 800,
    cacheEntriesMax: 1_000_000,
    isMeasured: false,
    drainDelayMs: 5000,
    grpcPort: 8081,
  });
  t.not(config.value.redis, null);
  t.match(JSON.stringify(config.value.decisionLog), '/var/lib/riskgate');
});

function filesOf(object: Manifest, place: (text: string) => string): Record<string, string> {
  const texts = (object['stringData'] ?? object['data']) as Record<string, string>;
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, place(text)]));
}
