import { z } from 'zod';
import { logRecordSchema, RECORD_VERSION } from '../src/domain/decision-log/decision-record.ts';

/** The file that describes the lines of the decision log, beside this one. */
export const RECORD_SCHEMA_FILE = `decision-record.v${RECORD_VERSION}.schema.json`;

/**
 * The text of the JSON Schema (2020-12) of one line of the decision log, indented, with a newline at its end.
 * A reader must be ready for fields that a later release adds.
 */
export function createRecordSchema(): string {
  const schema = z.toJSONSchema(logRecordSchema, {
    target: 'draft-2020-12',
    io: 'output',
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      // `readonly` applies to our own code only; clients do not write these documents.
      delete jsonSchema.readOnly;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  const { $schema, ...shape } = schema;
  const title = `riskgate decision log, version ${RECORD_VERSION}`;
  const document = { $schema, $id: `urn:riskgate:decision-record:v${RECORD_VERSION}`, title, ...shape };
  return `${JSON.stringify(document, null, 2)}\n`;
}
