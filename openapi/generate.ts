import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createOpenApiDocument } from './document.ts';
import { createRecordSchema, RECORD_SCHEMA_FILE } from './record-schema.ts';

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const documents = [
  { name: 'openapi.json', text: await createOpenApiDocument() },
  { name: RECORD_SCHEMA_FILE, text: createRecordSchema() },
];
for (const { name, text } of documents) {
  const file = new URL(`./${name}`, import.meta.url);
  if (!values.check) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`openapi/${name} is not what the source describes; run \`npm run openapi\`.`);
    process.exitCode = 1;
  }
}
