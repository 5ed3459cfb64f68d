import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { runTool } from '../support/deployment-tools.ts';
import { ROOT } from '../support/start-program.ts';

export const CHART = join(ROOT, 'deploy/helm/riskgate');

/** The least that the chart takes. */
export const LEAST = {
  apiKeys: { existingSecret: 'keys' },
  secrets: { existingSecret: 'secrets', keys: ['ID_HASH_KEY', 'REDIS_URL', 'MOBILERUN_API_KEY'] },
};

/** An object of Kubernetes, as far as tests read it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: manifests have as many shapes as kinds.
  readonly [name: string]: any;
}

/** What `helm template` makes of values: the manifests and their text, or what it says against them. */
export interface Rendered {
  readonly mistake: string | null;
  readonly text: string;
  readonly manifests: readonly Manifest[];
}

/** A chart that is rendered with values from files in `folder`. */
export function createRender(helm: string, folder: string): (values: object) => Rendered {
  return (values) => {
    const file = join(folder, 'values.yaml');
    writeFileSync(file, stringify(values));
    const { code, stdout, stderr } = runTool(helm, ['template', 'risk', CHART, '--values', file]);
    if (code !== 0) return { mistake: stderr, text: '', manifests: [] };
    const documents = parseAllDocuments(stdout, { version: '1.1' }).map(
      (each) => each.toJS() as Manifest | null,
    );
    return { mistake: null, text: stdout, manifests: documents.filter((each) => each !== null) };
  };
}

/** The one manifest of a kind, with a name that ends so. Throws where there is none, or another one. */
export function only({ manifests, mistake }: Rendered, kind: string, ending = ''): Manifest {
  const found = manifests.filter((each) => each.kind === kind && each.metadata.name.endsWith(ending));
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} ${kind}: ${mistake}`);
  return found[0];
}
