/**
 * What the service answers to everything in test/differential, as one digest for each group of requests.
 *
 *   npm run differential                          prints the digests
 *   npm run differential -- --write               writes digests.txt
 *   npm run differential -- --print default/3     prints all that is seen of one group
 *
 * `--service <checkout>` asks the service of another checkout, and `--out <directory>` writes one file for
 * each group; test/differential/compare.ts uses both.
 */
import { hash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../support/start-program.ts';
import { policyScenarios, type Scenario, serviceScenarios } from './scenarios.ts';
import { loadService } from './service.ts';
import { type Transcript, transcribe } from './transcribe.ts';

/** The committed digests. */
export const DIGESTS_FILE = join(import.meta.dirname, 'digests.txt');

/** The transcripts of scenarios, those of a checkout's service. */
export async function transcribeAll(
  root: string,
  scenarios: readonly Scenario[],
): Promise<readonly Transcript[]> {
  const modules = await loadService(root);
  const transcripts: Transcript[] = [];
  for (const scenario of scenarios) transcripts.push(...(await transcribe(modules, scenario)));
  return transcripts;
}

/** One line for each group: its digest, its name, and how many decisions it has. */
export function toDigestLines(transcripts: readonly Transcript[]): readonly string[] {
  return transcripts.map(
    ({ group, text, decisions }) => `${hash('sha256', text)} ${group} ${decisions} decisions`,
  );
}

if (import.meta.main) await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      write: { type: 'boolean', default: false },
      print: { type: 'string' },
      service: { type: 'string', default: ROOT },
      out: { type: 'string' },
    },
  });
  const [wanted] = values.print?.split('/') ?? [];
  const scenarios = [...policyScenarios(), ...serviceScenarios()].filter(
    ({ name }) => wanted === undefined || name === wanted,
  );
  const transcripts = await transcribeAll(resolve(values.service), scenarios);
  if (values.print !== undefined)
    process.stdout.write(transcripts.find(({ group }) => group === values.print)?.text ?? 'no such group\n');
  else if (values.out !== undefined) writeTranscripts(values.out, transcripts);
  else if (values.write) writeFileSync(DIGESTS_FILE, `${toDigestLines(transcripts).join('\n')}\n`);
  else console.log(toDigestLines(transcripts).join('\n'));
}

function writeTranscripts(directory: string, transcripts: readonly Transcript[]): void {
  mkdirSync(directory, { recursive: true });
  for (const { group, text } of transcripts)
    writeFileSync(join(directory, `${group.replace('/', '-')}.txt`), text);
}
