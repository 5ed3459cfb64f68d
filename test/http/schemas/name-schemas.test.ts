import t from 'tap';
import { nameSchemas } from '../../../src/http/schemas/name-schemas.ts';

type Json = Record<string, unknown>;

/** A document whose one operation answers with a schema. */
function documentOf(schema: Json, schemas: Json = {}) {
  const content = { 'application/json': { schema } };
  const operation = { operationId: 'getThing', responses: { 200: { content } } };
  const document = { paths: { '/thing': { get: operation } }, components: { schemas } };
  nameSchemas(document);
  return { answer: content['application/json'].schema, schemas: document.components.schemas };
}

const point = (): Json => ({ type: 'object', properties: { x: { type: 'number' } } });
const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

t.test('names objects by where they stand, inside lists and maps too', async (t) => {
  const { answer, schemas } = documentOf({
    type: 'object',
    properties: {
      many: { type: 'array', items: { type: 'object', properties: { a: {} } } },
      by_name: { type: 'object', additionalProperties: { type: 'object', properties: { b: {} } } },
    },
  });
  t.same(answer, reference('GetThingAnswer'));
  t.same(Object.keys(schemas).sort(), [
    'GetThingAnswer',
    'GetThingAnswerByNameValue',
    'GetThingAnswerManyItem',
  ]);
});

t.test('gives those that are alike one name, and keeps their descriptions apart', async (t) => {
  const { schemas } = documentOf({
    type: 'object',
    properties: { from: { ...point(), description: 'Here.' }, to: { ...point(), description: 'There.' } },
  });
  t.match(schemas['GetThingAnswer'], {
    properties: {
      from: { ...reference('GetThingAnswerFrom'), description: 'Here.' },
      to: { ...reference('GetThingAnswerFrom'), description: 'There.' },
    },
  });
});

t.test('tells others of one name apart', async (t) => {
  const { answer, schemas } = documentOf(point(), { GetThingAnswer: { type: 'string' } });
  t.same(answer, reference('GetThingAnswerAlso'));
  t.same(schemas['GetThingAnswer'], { type: 'string' });
});

t.test('says that an object may be null beside its name', async (t) => {
  const { schemas } = documentOf({
    type: 'object',
    properties: { point: { ...point(), type: ['object', 'null'], description: 'Where.' } },
  });
  t.same(schemas['GetThingAnswer'], {
    type: 'object',
    properties: {
      point: { description: 'Where.', anyOf: [reference('GetThingAnswerPoint'), { type: 'null' }] },
    },
  });
  t.same(schemas['GetThingAnswerPoint'], point());
});

t.test('names the options of an alternative by their titles', async (t) => {
  const { answer } = documentOf({ anyOf: [{ title: 'end', ...point() }, { type: 'string' }] });
  t.same(answer, { anyOf: [reference('GetThingAnswerEnd'), { type: 'string' }] });
});

t.test('leaves out what generators cannot spell', async (t) => {
  const { schemas } = documentOf({
    type: 'object',
    not: { required: ['a', 'b'] },
    properties: {
      version: { type: 'number', const: 1 },
      shape: { type: 'number', enum: [2] },
      kind: { type: 'string', enum: ['one'] },
      ip: { type: 'string', format: 'ip' },
      at: { type: 'string', format: 'date-time' },
    },
  });
  t.strictSame(schemas['GetThingAnswer'], {
    type: 'object',
    properties: {
      version: { type: 'integer', minimum: 1, maximum: 1 },
      shape: { type: 'integer', minimum: 2, maximum: 2 },
      kind: { type: 'string', enum: ['one'] },
      ip: { type: 'string' },
      at: { type: 'string', format: 'date-time' },
    },
  });
});
