import t from 'tap';
import { parseJsonResponse } from '../../src/platform/json-response.ts';

const parse = (contentType: string | null, body: string) =>
  parseJsonResponse({
    status: 200,
    headers: contentType === null ? {} : { 'content-type': contentType },
    body,
  });

t.test('reads JSON under its media types', async (t) => {
  for (const type of [
    'application/json',
    'Application/JSON; charset=utf-8',
    'application/problem+json',
    ' application/vnd.x.v1+json ;a=b',
  ]) {
    t.same(parse(type, '{"a":1}'), { a: 1 }, type);
  }
  t.equal(parse('application/json', 'null'), null);
});

t.test('reads nothing under another media type', async (t) => {
  for (const type of [
    null,
    '',
    'text/html',
    'text/json',
    'application/jsonp',
    'application/+json',
    'application/json, text/html',
  ]) {
    t.equal(parse(type, '{"a":1}'), undefined, type ?? 'absent');
  }
});

t.test('reads nothing from a body that is not JSON', async (t) => {
  for (const body of ['', '{', 'NaN', '<html>']) t.equal(parse('application/json', body), undefined);
});

t.test('takes a __proto__ key for an ordinary one', async (t) => {
  const value = parse('application/json', '{"__proto__":{"found":true}}');
  t.equal(Object.getPrototypeOf(value), Object.prototype);
});
