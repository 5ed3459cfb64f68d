import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from './start-program.ts';

export interface ComposeService {
  readonly build?: string | { readonly context: string; readonly dockerfile: string };
  readonly image?: string;
  /** Started only when one of these is asked for. */
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string; readonly required?: boolean }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ports?: readonly string[];
  readonly user?: string;
  readonly volumes?: readonly string[];
}

interface ComposeFile {
  readonly services: Readonly<
    Record<'riskgate' | 'redis' | 'emulators' | 'postgres' | 'prometheus' | 'grafana', ComposeService>
  >;
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, object>>;
}

/** The text of docker-compose.yml. */
export const COMPOSE_TEXT = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
/** As Compose reads it where no variable of it is set. */
const file = parse(COMPOSE_TEXT.replace(/\$\{\w+:-([^}]*)\}/g, '"$1"'), { merge: true }) as ComposeFile;

/** Its services, anchors resolved. */
export const SERVICES = file.services;

/** The volumes that outlive its containers. */
export const VOLUMES = file.volumes;

/** The file on this machine that a service sees at `target`. Throws when it sees none. */
export function findConfigFile(service: ComposeService, target: string): string {
  const source = service.configs?.find((config) => config.target === target)?.source ?? '';
  const config = file.configs[source];
  if (config === undefined) throw new Error(`nothing is mounted at ${target}`);
  return join(ROOT, config.file);
}
