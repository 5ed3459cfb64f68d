import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createOpenApiDocument } from './document.ts';

const FILE = new URL('./openapi.json', import.meta.url);

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const text = await createOpenApiDocument();
if (!values.check) writeFileSync(FILE, text);
else if (readFileSync(FILE, 'utf8') !== text) {
  console.error('openapi/openapi.json is not what the routes describe; run `npm run openapi`.');
  process.exitCode = 1;
}
