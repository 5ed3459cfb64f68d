import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { renderDocuments } from './documents.ts';

/**
 * `npm run docs` regenerates the generated blocks of the documents; `--check` only reports the stale files,
 * and fails.
 */
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

for (const { path, file, text, rendered } of renderDocuments()) {
  if (text === rendered) continue;
  if (values.check) {
    console.error(`${path} is not what the schemas describe; run \`npm run docs\`.`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, rendered);
    console.log(`${path} is updated.`);
  }
}
