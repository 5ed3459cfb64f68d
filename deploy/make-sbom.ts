import { spawnSync } from 'node:child_process';

/**
 * Writes the packages that are installed in `folder` to `output`, as CycloneDX 1.6 in JSON, the same for the same
 * packages. Throws where the tool fails. `npm sbom` leaves out a third of them where versions disagree.
 */
export function makeSbom(tool: string, folder: string, output: string): void {
  const args = [
    '--omit',
    'dev',
    '--omit',
    'optional',
    '--omit',
    'peer',
    '--output-reproducible',
    '--flatten-components',
  ];
  // One package asks for a later version of another than we have: npm calls that an error.
  const own = ['--ignore-npm-errors', '--no-validate', '--mc-type', 'application', '--output-file', output];
  const { status, stderr, error } = spawnSync(tool, [...args, ...own, 'package.json'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (error || status !== 0) throw new Error(`${tool}: ${error?.message ?? stderr}`);
}
