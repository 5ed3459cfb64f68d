/**
 * Asks the same of this checkout's service and of another's, and prints what differs in each group.
 *
 *   node test/differential/compare.ts <other checkout>
 *
 * The other needs its own node_modules. Lines with `-` are its answers, lines with `+` are ours. The exit
 * code is 1 where anything differs.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../support/start-program.ts';

const [other] = process.argv.slice(2);
if (other === undefined) throw new Error('usage: node test/differential/compare.ts <other checkout>');
const directory = mkdtempSync(join(tmpdir(), 'riskgate-differential-'));
transcribeInto('theirs', other);
transcribeInto('ours', ROOT);
const { status } = spawnSync('git', ['diff', '--no-index', '--word-diff-regex=[^,{}]+', 'theirs', 'ours'], {
  cwd: directory,
  stdio: 'inherit',
});
rmSync(directory, { recursive: true, force: true });
console.error(status === 0 ? 'nothing differs' : 'the two differ');
process.exitCode = status ?? 1;

/** A process for each: both versions may hold state in their modules. */
function transcribeInto(name: string, root: string): void {
  const digests = join(import.meta.dirname, 'digests.ts');
  const run = spawnSync(process.execPath, [digests, '--service', root, '--out', join(directory, name)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (run.status !== 0) throw new Error(`the service of ${root} could not be asked`);
}
