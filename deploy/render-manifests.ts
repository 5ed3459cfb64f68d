import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** What goes before each file. */
const HEADING =
  '# Made of the chart in deploy/helm/riskgate with deploy/kubernetes/values.yaml: npm run manifests.\n';
/** What tells of Helm, which is not at work here. */
const LINES_OF_HELM = /^(?:# Source: | *helm\.sh\/chart: | *app\.kubernetes\.io\/managed-by: ).*\n/gm;

/** The plain manifests by the names of their files, as `helm` makes them of the chart. Throws where it refuses. */
export function renderManifests(helm: string): ReadonlyMap<string, string> {
  const args = ['template', 'riskgate', 'deploy/helm/riskgate', '--values', 'deploy/kubernetes/values.yaml'];
  const { status, stdout, stderr, error } = spawnSync(helm, args, { cwd: ROOT, encoding: 'utf8' });
  if (error || status !== 0) throw new Error(`helm template: ${error?.message ?? stderr}`);
  const files = new Map<string, string>();
  for (const text of stdout.split(/^---\n/m).filter((part) => part.trim() !== '')) {
    const [, kind = ''] = /^kind: (\w+)$/m.exec(text) ?? [];
    const name = `${kind.toLowerCase()}.yaml`;
    if (kind === '' || files.has(name)) throw new Error(`no kind, or a second ${kind}:\n${text}`);
    files.set(name, `${HEADING}${text.replaceAll(LINES_OF_HELM, '')}`);
  }
  const resources = [...files.keys()].toSorted().map((name) => `  - ${name}\n`);
  files.set(
    'kustomization.yaml',
    `${HEADING}apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n${resources.join('')}`,
  );
  return files;
}
