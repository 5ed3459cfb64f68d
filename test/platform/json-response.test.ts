import t from 'tap';
import { mediaTypeOf, readJsonResponse } from '../../src/platform/json-response.ts';

const read = (
  contentType: string | null,
  body: string | null,
  others: Readonly<Record<string, string>> = {},
) =>
  readJsonResponse({
    status: 200,
    headers: contentType === null ? others : { ...others, 'content-type': contentType },
    body,
  });

t.test('reads JSON under its media types', async (t) => {
  for (const type of [
    'application/json',
    'Application/JSON; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json; charset=US-ASCII',
    'application/problem+json',
    ' application/vnd.x.v1+json ;a=b',
  ]) {
    t.same(read(type, '{"a":1}'), { kind: 'json', value: { a: 1 } }, type);
  }
  t.same(read('application/json', 'null'), { kind: 'json', value: null });
});

t.test('reads nothing under another media type or character set', async (t) => {
  for (const type of [
    null,
    '',
    'text/html',
    'text/json',
    'application/jsonp',
    'application/+json',
    'application/json, text/html',
    'application/json; a=b, text/html',
    'application/json; charset=latin1',
    'application/json; charset=utf-8; Charset = utf-16',
    'application/json; charset',
  ]) {
    t.same(read(type, '{"a":1}'), { kind: 'other' }, type ?? 'absent');
  }
});

t.test('reads nothing that is said to be encoded', async (t) => {
  for (const encoding of ['gzip', 'identity, gzip', 'br', 'x']) {
    t.same(read('application/json', '{}', { 'content-encoding': encoding }), { kind: 'other' }, encoding);
  }
  for (const encoding of ['', 'identity', ' Identity ']) {
    t.match(read('application/json', '{}', { 'content-encoding': encoding }), { kind: 'json' }, encoding);
  }
});

t.test('reads nothing from a body that is not JSON', async (t) => {
  for (const body of [null, '', '{', 'NaN', '<html>', '{}{}', '\ufeff{}']) {
    t.same(read('application/json', body), { kind: 'other' });
  }
});

t.test('calls a body ambiguous that two readers read differently', async (t) => {
  for (const body of ['{"a":1,"a":2}', '{"a":1,"\\u0061":1}', '["\\ud800"]', '{"\\udc00":1}']) {
    t.same(read('application/json', body), { kind: 'ambiguous' }, body);
  }
});

t.test('takes a __proto__ key for an ordinary one', async (t) => {
  const reading = read('application/json', '{"__proto__":{"found":true}}');
  t.equal(Object.getPrototypeOf(reading.kind === 'json' && reading.value), Object.prototype);
});

t.test('tells the media type without its parameters', async (t) => {
  t.equal(mediaTypeOf({ 'content-type': ' Text/HTML ; charset=x' }), 'text/html');
  t.equal(mediaTypeOf({}), '');
});
