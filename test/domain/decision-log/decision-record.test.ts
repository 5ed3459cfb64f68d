import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { RECORD_SCHEMA_FILE } from '../../../openapi/record-schema.ts';
import {
  type DecisionRecord,
  idOf,
  logRecordSchema,
} from '../../../src/domain/decision-log/decision-record.ts';
import { createDecisionRecord, createGapRecord } from '../../support/decision-records.ts';

const schema: unknown = JSON.parse(
  readFileSync(new URL(`../../../openapi/${RECORD_SCHEMA_FILE}`, import.meta.url), 'utf8'),
);
const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema as object);

t.test('describes records by the published JSON Schema', async (t) => {
  const record = createDecisionRecord(0, 1);
  const other: DecisionRecord = {
    ...record,
    caller: 'two\n"words"',
    action: null,
    reasons: [],
    waivers: [],
    subject: { telemetry: null, devices: [], account: 'e'.repeat(32) },
    custody: { result: 'none', signals: null },
  };
  for (const each of [record, other, createGapRecord(0, 2)]) {
    t.ok(validate(each), JSON.stringify(validate.errors));
    t.strictSame(logRecordSchema.parse(each), each);
    t.ok(validate({ ...each, added_later: 1 }), 'a later release may add a field');
    t.notOk(validate({ ...each, version: 2 }), 'another version is another schema');
  }
  const { policy: _, ...incomplete } = createDecisionRecord(0, 1);
  t.notOk(validate(incomplete));
});

t.test('has the id of its decision, or of the gap', async (t) => {
  const [decision, gap] = [createDecisionRecord(0, 1), createGapRecord(0, 2)];
  t.same([idOf(decision), idOf(gap)], [decision.decision_id, gap.gap_id]);
});
