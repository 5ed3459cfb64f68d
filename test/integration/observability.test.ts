import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { COMPOSE_TEXT, findConfigFile, SERVICES } from '../support/compose-file.ts';
import { findMetricNames, findSelectors } from '../support/promql.ts';
import { ROOT } from '../support/start-program.ts';
import { createTestApp } from '../support/test-app.ts';
import { findLacking, scrapeWholeService } from '../support/whole-scrape.ts';

interface Target {
  readonly expr: string;
  readonly datasource: { readonly uid: string };
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly gridPos: { readonly x: number; readonly w: number };
  readonly targets: readonly Target[];
}

interface Board {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly Target[] };
}

const { prometheus, grafana } = SERVICES;
const DATASOURCES = '/etc/grafana/provisioning/datasources/riskgate.yaml';
const BOARDS = '/etc/grafana/provisioning/dashboards/riskgate.yaml';

const boardFile = findConfigFile(grafana, '/etc/grafana/boards/riskgate.json');
const board = JSON.parse(readFileSync(boardFile, 'utf8')) as Board;
const expressions = [...board.panels.flatMap(({ targets }) => targets), ...board.annotations.list].map(
  ({ expr }) => expr,
);

t.test('starts Prometheus and Grafana only when they are asked for', async (t) => {
  for (const service of [prometheus, grafana]) {
    t.strictSame(service.profiles, ['observability']);
    t.match(service.image, /:v?\d+\.\d+\.\d+$/, 'a version, not latest');
  }
  t.equal(prometheus.ports, undefined);
  t.strictSame(grafana.ports, ['127.0.0.1:3000:3000']);
  t.match(COMPOSE_TEXT, /--profile observability/);
});

t.test('lets nobody change anything in Grafana, and has no password', async (t) => {
  t.match(grafana.environment, { GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer', GF_AUTH_DISABLE_LOGIN_FORM: 'true' });
  t.notMatch(JSON.stringify(grafana), /password/i);
});

t.test('scrapes the service where it listens', async (t) => {
  const path = '/etc/prometheus/prometheus.yml';
  t.ok(prometheus.command?.includes(`--config.file=${path}`));
  const config = parse(readFileSync(findConfigFile(prometheus, path), 'utf8')) as {
    scrape_configs: { metrics_path?: string; static_configs: { targets: string[] }[] }[];
  };
  t.equal(config.scrape_configs.length, 1);
  t.equal(config.scrape_configs[0]?.metrics_path, undefined, '/metrics is the default');
  t.strictSame(config.scrape_configs[0]?.static_configs, [{ targets: ['riskgate:8080'] }]);
});

t.test('provisions the data source that every panel of the board reads', async (t) => {
  const sources = parse(readFileSync(findConfigFile(grafana, DATASOURCES), 'utf8')) as {
    datasources: { uid: string; type: string; url: string }[];
  };
  t.match(sources.datasources, [{ type: 'prometheus', url: 'http://prometheus:9090' }]);
  const providers = parse(readFileSync(findConfigFile(grafana, BOARDS), 'utf8')) as {
    providers: { type: string; options: { path: string } }[];
  };
  t.match(providers.providers, [{ type: 'file', options: { path: '/etc/grafana/boards' } }]);
  for (const { datasource } of board.panels.flatMap(({ targets }) => targets)) {
    t.equal(datasource.uid, sources.datasources[0]?.uid);
  }
});

t.test('the board is whole: ids are unique, panels fit and say what they mean', async (t) => {
  t.equal(board.uid, 'riskgate');
  t.ok(board.panels.length >= 12);
  t.equal(new Set(board.panels.map(({ id }) => id)).size, board.panels.length);
  for (const { title, description, gridPos, targets } of board.panels) {
    t.ok(gridPos.x + gridPos.w <= 24 && targets.length > 0, title);
    t.match(description, /\.$/, title);
  }
});

t.test('every metric and label value that the board asks for is in a real scrape', async (t) => {
  const scrape = await scrapeWholeService(t);
  const asked = new Set(expressions.flatMap(findMetricNames));
  t.ok(asked.size >= 15, [...asked].join(' '));
  for (const name of asked) t.ok((scrape.get(name) ?? []).length > 0, name);

  const selectors = expressions.flatMap(findSelectors);
  t.ok(selectors.length >= 4);
  t.strictSame(findLacking(scrape, selectors), []);
});

t.test('the board shows every metric of the service', async (t) => {
  const app = await createTestApp(t);
  const { text } = await app.ask('GET', '/metrics', { key: null });
  const families = [...text.matchAll(/^# TYPE (riskgate_\w+) /gm)].map(([, name]) => name ?? '');
  t.ok(families.length >= 14);
  for (const family of families)
    t.ok(
      expressions.some((text) => text.includes(family)),
      family,
    );
});

t.test('the files are where the repository says', async (t) => {
  t.equal(boardFile, join(ROOT, 'docker/grafana/boards/riskgate.json'));
});
