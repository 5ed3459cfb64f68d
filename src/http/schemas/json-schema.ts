import { z } from 'zod';

/** A JSON Schema (draft 7, which OpenAPI 3.1 and Fastify's compilers both take). */
export type JsonSchema = { [keyword: string]: unknown };

/**
 * The JSON Schema of a zod schema, for the compiled validator (`input`) or serialiser (`output`). Keep the
 * zod schemas plain: transforms and refinements do not run.
 */
export function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    target: 'draft-7',
    io,
    override: ({ jsonSchema }) => {
      joinNullable(jsonSchema);
      dropSafeIntegerBounds(jsonSchema);
      // Clients must accept fields that a later version adds.
      if (io === 'output' && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
    },
  });
  return json;
}

/**
 * `anyOf: [{type: string}, {type: null}]` as `type: [string, null]`: one message for a wrong type instead of
 * three, and a faster serialiser.
 */
function joinNullable(schema: JsonSchema): void {
  const options = schema['anyOf'];
  if (!Array.isArray(options) || options.length !== 2) return;
  // Members of `anyOf` are schemas.
  const [value, empty] = options as [JsonSchema, JsonSchema];
  if (empty['type'] !== 'null' || typeof value['type'] !== 'string') return;
  delete schema['anyOf'];
  Object.assign(schema, value, { type: [value['type'], 'null'] });
  if (Array.isArray(value['enum'])) schema['enum'] = [...value['enum'], null];
}

/** zod bounds every integer by what a double can hold; that is no rule of this interface. */
function dropSafeIntegerBounds(schema: JsonSchema): void {
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
}
