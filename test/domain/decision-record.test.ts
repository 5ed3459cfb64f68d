import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { RECORD_SCHEMA_FILE } from '../../openapi/record-schema.ts';
import { logRecordSchema } from '../../src/domain/decision-record.ts';
import { serialiseRecord } from '../../src/domain/serialise-record.ts';
import { createDecisionRecord, createGapRecord } from '../support/decision-records.ts';

const schema: unknown = JSON.parse(
  readFileSync(new URL(`../../openapi/${RECORD_SCHEMA_FILE}`, import.meta.url), 'utf8'),
);
const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema as object);

t.test('describes records by the published JSON Schema', async (t) => {
  for (const record of [createDecisionRecord(0, 1), createGapRecord(0, 2)]) {
    t.strictSame(JSON.parse(serialiseRecord(record)), record, 'as it is written, too');
    t.strictSame(JSON.parse(serialiseRecord(record)), record, 'and again');
    t.ok(validate(record), JSON.stringify(validate.errors));
    t.strictSame(logRecordSchema.parse(record), record);
    t.ok(validate({ ...record, added_later: 1 }), 'a later release may add a field');
    t.notOk(validate({ ...record, version: 2 }), 'another version is another schema');
  }
  const { policy: _, ...incomplete } = createDecisionRecord(0, 1);
  t.notOk(validate(incomplete));
});
