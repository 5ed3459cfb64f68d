import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { anchorsOf, readText } from '../docs/markdown.ts';
import { findConfigFile, SERVICES } from '../support/compose-file.ts';
import { findTool, PROMTOOL, runTool } from '../support/deployment-tools.ts';
import { findMetricNames, findSelectors } from '../support/promql.ts';
import { ROOT } from '../support/start-program.ts';
import { findLacking, scrapeWholeService } from '../support/whole-scrape.ts';
import { ALERT_CASES, type AlertCase } from './alert-cases.ts';

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: { readonly severity: string };
  readonly annotations?: { readonly summary: string; readonly runbook_url: string };
}

const FILE = join(ROOT, 'deploy/helm/riskgate/files/alerts.yml');
const MINUTES = 30;

const { groups } = parse(readFileSync(FILE, 'utf8')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.flatMap((rule) => (rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }]));

t.test('every alert has a severity, a summary and a runbook that exists', async (t) => {
  t.ok(alerts.length >= 30);
  t.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length);
  for (const { alert, labels, annotations } of alerts) {
    t.match(labels?.severity, /^(critical|warning)$/, alert);
    t.match(annotations?.summary, /\.$/, alert);
    const [page = '', anchor = ''] = annotations?.runbook_url.split('#') ?? [];
    t.equal(page, 'docs/failure-modes.md', alert);
    t.ok(anchorsOf(readText(page)).has(anchor), `${alert}: #${anchor}`);
  }
});

t.test('the manual names every alert with its severity, and no other', async (t) => {
  const rows = readText('docs/observability.md').matchAll(/^\| `(Riskgate\w+)` \| (\w+) \|/gm);
  t.strictSame(
    [...rows].map(([, alert, severity]) => `${alert} ${severity}`).toSorted(),
    alerts.map(({ alert, labels }) => `${alert} ${labels?.severity}`).toSorted(),
  );
});

t.test('every metric and label value that a rule reads is in a real scrape', async (t) => {
  const scrape = await scrapeWholeService(t);
  const names = new Set(rules.flatMap(({ expr }) => findMetricNames(expr)));
  t.ok(names.size >= 18, [...names].join(' '));
  for (const name of names) t.ok((scrape.get(name) ?? []).length > 0, name);
  const selectors = rules.flatMap(({ expr }) => findSelectors(expr));
  t.ok(selectors.length >= 20);
  t.strictSame(findLacking(scrape, selectors), []);
});

t.test('the board shows what the alerts watch', async (t) => {
  const board = readText('docker/grafana/boards/riskgate.json');
  const shown = findMetricNames(board.replaceAll('_bucket', '').replaceAll('_count', ''));
  for (const name of new Set(rules.flatMap(({ expr }) => findMetricNames(expr))))
    t.ok(shown.includes(name.replace(/_(bucket|count)$/, '')), name);
});

t.test('the Prometheus of Compose has the rules', async (t) => {
  const [path = ''] = (
    parse(readFileSync(findConfigFile(SERVICES.prometheus, '/etc/prometheus/prometheus.yml'), 'utf8')) as {
      rule_files: string[];
    }
  ).rule_files;
  t.equal(findConfigFile(SERVICES.prometheus, path), FILE);
});

t.test('every alert fires when it should, and not beside it', async (t) => {
  t.strictSame(
    ALERT_CASES.map(({ alert }) => alert),
    alerts.map(({ alert }) => alert),
    'each has its case',
  );
  const promtool = findTool(t, PROMTOOL);
  if (promtool === null) return;
  const checked = runTool(promtool, ['check', 'rules', FILE]);
  t.equal(checked.code, 0, checked.stderr);
  for (const step of new Set(ALERT_CASES.map(({ stepMinutes = 1 }) => stepMinutes))) {
    const cases = ALERT_CASES.filter(({ stepMinutes = 1 }) => stepMinutes === step);
    const tests = [toTest(cases, 'fires', step), toTest(cases, 'silent', step)];
    const file = join(t.testdir(), 'tests.yml');
    writeFileSync(file, stringify({ rule_files: [FILE], evaluation_interval: `${step}m`, tests }));
    const run = runTool(promtool, ['test', 'rules', file]);
    t.equal(run.code, 0, `${run.stdout}\n${run.stderr}`);
    t.match(run.stdout, /SUCCESS/);
  }
});

t.test('an alert says which part it is about', async (t) => {
  const promtool = findTool(t, PROMTOOL);
  if (promtool === null) return;
  const rule = alerts.find(({ alert }) => alert === 'RiskgateProviderSuspect');
  const label = { provider: 'stytch', job: 'riskgate' };
  const expected = {
    exp_labels: { ...label, ...rule?.labels },
    exp_annotations: {
      ...rule?.annotations,
      summary: rule?.annotations?.summary.replace('{{ $labels.provider }}', 'stytch'),
    },
  };
  const series = 'riskgate_provider_suspect{provider="stytch",job="riskgate",instance="a:8080"}';
  const test = {
    interval: '1m',
    input_series: [{ series, values: '1x10' }],
    alert_rule_test: [{ eval_time: '5m', alertname: rule?.alert, exp_alerts: [expected] }],
  };
  const file = join(t.testdir(), 'tests.yml');
  writeFileSync(file, stringify({ rule_files: [FILE], tests: [test] }));
  const run = runTool(promtool, ['test', 'rules', file]);
  t.equal(run.code, 0, `${run.stdout}\n${run.stderr}`);
});

/** One test of promtool's for many cases, each with a job of its own: a test for each is twenty times slower. */
function toTest(cases: readonly AlertCase[], kind: 'fires' | 'silent', stepMinutes: number) {
  return {
    name: kind,
    interval: `${stepMinutes}m`,
    input_series: cases.flatMap((each) => each[kind].map((text) => toSeries(text, each.alert))),
    promql_expr_test: cases.map(({ alert, atMinutes = MINUTES }) => {
      const severity = alerts.find((rule) => rule.alert === alert)?.labels?.severity ?? '';
      return {
        // What is absent has no job.
        expr: `count by (severity) (ALERTS{alertname="${alert}", alertstate="firing", job=~"(${toJob(alert)})?"})`,
        eval_time: `${atMinutes}m`,
        exp_samples: kind === 'fires' ? [{ labels: `{severity="${severity}"}`, value: 1 }] : [],
      };
    }),
  };
}

function toJob(alert: string): string {
  return `riskgate-${alert}`;
}

function toSeries(text: string, alert: string) {
  const [, name = '', labels = '', values = ''] = /^(\w+)(?:\{(.*)\})? (.*)$/.exec(text) ?? [];
  const job = `job="${toJob(alert)}"`;
  return { series: `${name}{${[job, ...(labels === '' ? [] : [labels])].join(',')}}`, values };
}
