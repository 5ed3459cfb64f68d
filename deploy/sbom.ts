import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CYCLONEDX } from '../test/support/deployment-tools.ts';
import { makeSbom } from './make-sbom.ts';

/**
 * `npm run sbom -- --output riskgate.cdx.json`: the packages of the image as a CycloneDX document. They are
 * installed by the command of the Dockerfile, so that it names what the image holds and no more.
 */
const { values } = parseArgs({ options: { output: { type: 'string', default: 'riskgate.cdx.json' } } });
const root = join(import.meta.dirname, '..');
const [, install] = /^RUN (npm ci .*)$/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8')) ?? [];
const tool = CYCLONEDX.find();
if (install === undefined || tool === null) throw new Error(`it needs ${CYCLONEDX.hint}`);
const folder = mkdtempSync(join(tmpdir(), 'riskgate-sbom-'));
try {
  for (const name of ['package.json', 'package-lock.json', '.npmrc'])
    copyFileSync(join(root, name), join(folder, name));
  const { status } = spawnSync(install, { cwd: folder, shell: true, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${install} ended with ${status}`);
  // npm runs scripts in the folder of the package, and names the one that it was called in.
  makeSbom(tool, folder, resolve(process.env['INIT_CWD'] ?? '.', values.output));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
