import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { renderManifests } from '../../deploy/render-manifests.ts';
import {
  findTool,
  HELM,
  KUBERNETES_SCHEMAS,
  KUBERNETES_VERSIONS,
  runTool,
} from '../support/deployment-tools.ts';
import { createValidator } from '../support/kubernetes-schemas.ts';
import { ROOT } from '../support/start-program.ts';
import { CHART, createRender, LEAST, type Manifest, only, type Rendered } from './helm-chart.ts';

/** Longest close after the delay, in seconds: docs/failure-modes.md. */
const CLOSE_SECONDS_MAX = 6.8;

const helm = findTool(t, HELM);
const render = helm === null ? null : createRender(helm, t.testdir());

/** Everything that can be switched on, but what excludes other things. */
const EVERYTHING = {
  ...LEAST,
  apiKeys: { text: 'keys: []' },
  secrets: {
    values: { ID_HASH_KEY: 'x', REDIS_URL: 'redis' },
    files: { 'ca.pem': '-----BEGIN CERTIFICATE-----' },
  },
  image: { digest: `sha256:${'0'.repeat(64)}` },
  imagePullSecrets: [{ name: 'registry' }],
  settings: { DECISION_DEADLINE_MS: 800, LOG_DECISIONS: 'on', ACTIVITY_ENTRIES_MAX: 10_000_000 },
  extraEnv: [{ name: 'NODE_OPTIONS', value: '--use-system-ca' }],
  policy: 'policy: p',
  candidates: { next: 'policy: q', other: 'policy: r' },
  gatewayProfiles: 'profiles: {}',
  alerts: 'alerts: {}',
  webhooks: 'targets: {}',
  sharedSignals: 'streams: {}',
  dataDir: { type: 'emptyDir', size: '1Gi' },
  grpc: { enabled: true },
  service: { annotations: { a: 'b' } },
  autoscaling: { enabled: true },
  networkPolicy: {
    from: [{ namespaceSelector: {} }],
    egress: { postgres: { ports: [5432], to: [{ podSelector: {} }] }, kafka: { ports: [9092] }, extra: [{}] },
  },
  serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
  prometheusRule: {
    enabled: true,
    labels: { release: 'prometheus' },
    runbookBase: 'https://git.example/blob/',
  },
  serviceAccount: { annotations: { a: 'b' } },
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} },
  ],
  affinity: { nodeAffinity: {} },
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ operator: 'Exists' }],
  priorityClassName: 'high',
  podLabels: { team: 'risk' },
  podAnnotations: { a: 'b' },
  extraVolumes: [{ name: 'geoip', emptyDir: {} }],
  extraVolumeMounts: [{ name: 'geoip', mountPath: '/var/lib/geoip' }],
};

const ALONE = { ...LEAST, replicas: 1 };

function containerOf(rendered: Rendered): Manifest {
  return only(rendered, 'Deployment')['spec'].template.spec.containers[0];
}

function environmentOf(rendered: Rendered): Record<string, string> {
  const env = containerOf(rendered)['env'] as { name: string; value: string }[];
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

t.test('helm lints it', async (t) => {
  if (helm === null) return;
  const values = join(ROOT, 'deploy/kubernetes/values.yaml');
  const lint = runTool(helm, ['lint', '--strict', CHART, '--values', values]);
  t.equal(lint.code, 0, lint.stdout + lint.stderr);
});

t.test('every object is one that Kubernetes takes, of the oldest version and the newest', async (t) => {
  const schemas = findTool(t, KUBERNETES_SCHEMAS);
  if (render === null || schemas === null) return;
  const claim = { ...ALONE, dataDir: { type: 'persistentVolumeClaim' } };
  const manifests = [LEAST, EVERYTHING, claim].flatMap((values) => render(values).manifests);
  const own = manifests.filter(({ apiVersion }) => apiVersion !== 'monitoring.coreos.com/v1');
  t.ok(new Set(own.map(({ kind }) => kind)).size >= 9);
  for (const version of KUBERNETES_VERSIONS) {
    const validate = createValidator(join(schemas, `${version}.json`));
    for (const manifest of own) t.strictSame(validate(manifest), [], `${version} ${manifest.kind}`);
    const [first] = own.filter(({ kind }) => kind === 'Deployment');
    t.not(
      validate({ ...first, spec: { ...first?.['spec'], replica: 3 } } as Manifest).length,
      0,
      'it can refuse',
    );
  }
});

t.test('the container can do nothing but serve', async (t) => {
  if (render === null) return;
  for (const values of [LEAST, EVERYTHING]) {
    const rendered = render(values);
    const pod = only(rendered, 'Deployment')['spec'].template.spec;
    t.match(pod, {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        runAsGroup: 1000,
        fsGroup: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      },
    });
    t.strictSame(containerOf(rendered)['securityContext'], {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    t.match(containerOf(rendered)['resources'], {
      requests: { cpu: /./, memory: /./ },
      limits: { memory: /./ },
    });
    t.equal(containerOf(rendered)['resources'].limits.cpu, undefined);
    t.equal(only(rendered, 'ServiceAccount')['automountServiceAccountToken'], false);
    for (const { subPath } of containerOf(rendered)['volumeMounts']) t.equal(subPath, undefined);
    for (const { secret } of pod.volumes) t.equal(secret?.defaultMode ?? 0o440, 0o440);
  }
  const [, user] = /^USER (\d+):/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')) ?? [];
  t.equal(user, '1000', 'the user of the image');
});

t.test('a pod has the time to drain', async (t) => {
  if (render === null) return;
  for (const drainDelaySeconds of [0, 5, 20]) {
    const rendered = render({ ...LEAST, drainDelaySeconds });
    const seconds = only(rendered, 'Deployment')['spec'].template.spec.terminationGracePeriodSeconds;
    t.ok(seconds >= drainDelaySeconds + CLOSE_SECONDS_MAX, `${seconds} s`);
    t.equal(environmentOf(rendered)['DRAIN_DELAY_MS'], `${drainDelaySeconds * 1000}`);
  }
});

t.test('the probes are those of the service, and liveness waits for no other', async (t) => {
  if (render === null) return;
  const container = containerOf(render(LEAST));
  t.match(container, {
    startupProbe: { httpGet: { path: '/livez', port: 'http' } },
    livenessProbe: { httpGet: { path: '/livez', port: 'http' } },
    readinessProbe: { httpGet: { path: '/readyz', port: 'http' } },
    ports: [{ name: 'http', containerPort: 8080 }],
  });
});

t.test('what is switched off is not there', async (t) => {
  if (render === null) return;
  const kinds = ({ manifests }: Rendered) => manifests.map(({ kind }) => kind).toSorted();
  const usual = ['Deployment', 'NetworkPolicy', 'Service', 'ServiceAccount'];
  t.strictSame(kinds(render(LEAST)), [...usual, 'PodDisruptionBudget'].toSorted());
  t.strictSame(kinds(render(ALONE)), usual, 'a budget would keep one pod from ever being moved');
  const off = { networkPolicy: { enabled: false }, serviceAccount: { create: false } };
  t.strictSame(kinds(render({ ...ALONE, ...off })), ['Deployment', 'Service']);
  const all = [
    'ConfigMap',
    'HorizontalPodAutoscaler',
    'PodDisruptionBudget',
    'PrometheusRule',
    'Secret',
    'Secret',
  ];
  t.strictSame(kinds(render(EVERYTHING)), [...usual, ...all, 'ServiceMonitor'].toSorted());
  t.equal(only(render(EVERYTHING), 'Deployment')['spec'].replicas, undefined, 'the autoscaler says how many');
});

t.test('only what is read at the start makes new pods', async (t) => {
  if (render === null) return;
  const podOf = (values: object) => JSON.stringify(only(render(values), 'Deployment')['spec'].template);
  const before = podOf(EVERYTHING);
  t.equal(podOf({ ...EVERYTHING, policy: 'policy: other', gatewayProfiles: 'profiles: {a: {}}' }), before);
  t.equal(podOf({ ...EVERYTHING, apiKeys: { text: 'keys: [{}]' } }), before);
  t.not(podOf({ ...EVERYTHING, webhooks: 'targets: {a: {}}' }), before);
  t.not(podOf({ ...EVERYTHING, secrets: { values: { ID_HASH_KEY: 'x', REDIS_URL: 'other' } } }), before);
});

t.test('values reach the service as they were written', async (t) => {
  if (render === null) return;
  const env = environmentOf(render(EVERYTHING));
  t.match(env, {
    DECISION_DEADLINE_MS: '800',
    ACTIVITY_ENTRIES_MAX: '10000000',
    LOG_DECISIONS: 'on',
    GRPC_PORT: '8081',
    POLICY_CANDIDATES: '/etc/riskgate/config/candidate-next.yaml,/etc/riskgate/config/candidate-other.yaml',
    ID_HASH_KEY_FILE: '/etc/riskgate/secrets/ID_HASH_KEY',
  });
  const switches = { METRICS: false, TEST_IDS: true, ALLOW_INSECURE_START: true };
  t.match(environmentOf(render({ ...LEAST, settings: switches })), {
    METRICS: 'off',
    TEST_IDS: 'on',
    ALLOW_INSECURE_START: 'true',
  });
  t.equal(env['ID_HASH_KEY'], undefined, 'no secret stands in the environment');
  const text = 'policy: p\n# "quoted" {{ template }} $HOME \\ ü\nrules: []\n';
  t.equal(only(render({ ...LEAST, policy: text }), 'ConfigMap')['data']['policy.yaml'], text);
});

t.test('the network lets out what is needed, and not to private addresses', async (t) => {
  if (render === null) return;
  const { ingress, egress } = only(render(LEAST), 'NetworkPolicy')['spec'];
  t.strictSame(ingress, [{ ports: [{ port: 'http', protocol: 'TCP' }], from: [{ podSelector: {} }] }]);
  t.strictSame(
    egress.map(({ ports }: { ports: { port: number }[] }) => ports.map(({ port }) => port)),
    [[53, 53], [443], [6379]],
  );
  t.ok(egress[1].to[0].ipBlock.except.includes('169.254.0.0/16'), 'not the metadata of a cloud');
});

t.test('the alert rules are those of alerts.yml', async (t) => {
  if (render === null) return;
  const spec = only(render({ ...LEAST, prometheusRule: { enabled: true } }), 'PrometheusRule')['spec'];
  const text = readFileSync(join(CHART, 'files/alerts.yml'), 'utf8');
  t.strictSame(spec, parse(text));
  const based = only(render(EVERYTHING), 'PrometheusRule')['spec'] as { groups: unknown };
  t.strictSame(
    based,
    parse(text.replaceAll('runbook_url: docs/', 'runbook_url: https://git.example/blob/docs/')),
  );
});

const REFUSED: readonly (readonly [string, object, RegExp])[] = [
  ['an unknown value', { replica: 3 }, /replica.*not allowed/],
  ['a misspelt setting', { settings: { DECISION_DEADLINE: 800 } }, /DECISION_DEADLINE/],
  ['a secret among the settings', { settings: { STYTCH_SECRET: 'x' } }, /STYTCH_SECRET/],
  ['a setting that the chart makes', { settings: { DATA_DIR: '/x' } }, /DATA_DIR/],
  ['a secret that is none', { secrets: { values: { LOG_LEVEL: 'x' } } }, /LOG_LEVEL/],
  ['an empty secret', { secrets: { values: { ID_HASH_KEY: '' } } }, /ID_HASH_KEY/],
  ['no replica', { replicas: 0 }, /replicas/],
  ['the tag latest', { image: { tag: 'latest' } }, /tag/],
  ['half a digest', { image: { digest: 'sha256:12' } }, /digest/],
  ['a delay that the service does not take', { drainDelaySeconds: 21 }, /drainDelaySeconds/],
  ['a budget of none', { podDisruptionBudget: { maxUnavailable: 0 } }, /maxUnavailable/],
  ['a port beyond all', { service: { port: 70_000 } }, /port/],
  ['a place for data that is none', { dataDir: { type: 'hostPath' } }, /type/],
  ['a base that is no URL', { prometheusRule: { runbookBase: 'docs' } }, /runbookBase/],
  ['a candidate whose name is no file', { candidates: { '../x': 'p' } }, /propertyName '..\/x'/],
  ['no API keys', { apiKeys: { existingSecret: '' } }, /nobody could ask/],
  ['two sources of API keys', { apiKeys: { existingSecret: 'a', text: 'b' } }, /exclude each other/],
  ['no hash key', { secrets: { existingSecret: 's', keys: ['REDIS_URL'] } }, /ID_HASH_KEY .* is needed/],
  [
    'two sources of secrets',
    { secrets: { ...LEAST.secrets, values: { REDIS_URL: 'x' } } },
    /excludes values/,
  ],
  [
    'several replicas without a Redis',
    { secrets: { existingSecret: 's', keys: ['ID_HASH_KEY'] } },
    /need a Redis/,
  ],
  ['replicas on one claim', { dataDir: { type: 'persistentVolumeClaim' } }, /one replica alone/],
  [
    'a setting that stands twice',
    { policy: 'p', settings: { POLICY_FILE: 'x' } },
    /POLICY_FILE: the chart sets/,
  ],
  ['two sources of files', { policy: 'p', existingConfigMap: 'c' }, /existingConfigMap excludes/],
  [
    'bounds that cross',
    { autoscaling: { enabled: true, minReplicas: 5, maxReplicas: 4 } },
    /above maxReplicas/,
  ],
];

for (const [what, values, says] of REFUSED) {
  t.test(`refuses ${what}`, async (t) => {
    if (render === null) return;
    const { mistake } = render({ ...LEAST, ...values });
    t.match(mistake, says);
  });
}

t.test('deploy/kubernetes is what the chart makes today', async (t) => {
  if (helm === null) return;
  const made = renderManifests(helm);
  t.ok(made.size >= 6);
  for (const [name, text] of made)
    t.ok(
      readFileSync(join(ROOT, 'deploy/kubernetes', name), 'utf8') === text,
      `${name}: run \`npm run manifests\``,
    );
  const there = globSync('deploy/kubernetes/*.yaml', { cwd: ROOT }).map((path) => basename(path));
  t.strictSame(there.toSorted(), ['values.yaml', ...made.keys()].toSorted());
});
