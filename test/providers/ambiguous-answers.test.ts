import t from 'tap';
import { readAnswer } from '../../src/providers/read-answer.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { CONTEXT, respond, summarise } from './answer-support.ts';
import { sampleOf, TESTED_PROVIDERS } from './samples.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

for (const provider of TESTED_PROVIDERS) {
  const sample = sampleOf(provider);
  const full = JSON.stringify(sample.full);
  const unknown = JSON.stringify(sample.unknown);
  const answerTo = (status: number, body: unknown, headers = {}) =>
    summarise(readAnswer(provider, respond(status, body, headers), { id: sample.id }, CONTEXT));

  t.test(`believes a plain success and a plain 404 of ${provider.id}`, async (t) => {
    t.equal(answerTo(200, full), 'ok');
    t.equal(answerTo(404, unknown), 'not_found');
  });

  t.test(`refuses a name that stands twice in an answer of ${provider.id}`, async (t) => {
    for (const path of sample.read) {
      for (const body of repetitionsOf(sample.full, path.split('.'))) {
        t.equal(answerTo(200, body), 'malformed ambiguous_json', body.slice(0, 80));
      }
    }
    const [name = ''] = Object.keys(sample.unknown);
    for (const body of repetitionsOf(sample.unknown, [name])) {
      for (const status of [404, 500]) t.equal(answerTo(status, body), 'malformed ambiguous_json', body);
    }
    for (const odd of ['"__proto__":1,"__proto__":2', '"unread":[{"a":1,"a":1}]']) {
      t.equal(answerTo(200, full.replace('{', `{${odd},`)), 'malformed ambiguous_json', odd);
    }
  });

  t.test(`refuses a name of ${provider.id} in another case, beside its own or in its place`, async (t) => {
    for (const path of sample.read) {
      const names = path.split('.');
      const [value, variant] = [valueAt(sample.full, names), otherCase(names.at(-1) ?? '')];
      const beside = withMember(sample.full, names, (holder) => ({ ...holder, [variant]: value }));
      t.equal(answerTo(200, beside), 'malformed ambiguous_json', `${path} and ${variant}`);
      const inPlace = withMember(sample.full, names, ({ [names.at(-1) ?? '']: _own, ...rest }) => ({
        ...rest,
        [variant]: value,
      }));
      t.equal(answerTo(200, inPlace), 'malformed ambiguous_json', `${variant} for ${path}`);
    }
    t.equal(answerTo(200, { ...sample.full, Unread: 1, unread: 2 }), 'ok', 'names that nobody reads');
  });

  t.test(`refuses half a surrogate pair in an answer of ${provider.id}`, async (t) => {
    for (const half of ['\\ud800', '\\uDFFF', '\\udc00\\ud800', '\\ud83d\\ud83d\\ude00', '\\\\\\ud800x']) {
      const value = full.replace('{', `{"unread":"${half}",`);
      t.equal(answerTo(200, value), 'malformed ambiguous_json', half);
      t.equal(
        answerTo(200, full.replace('{', `{"${half}":1,`)),
        'malformed ambiguous_json',
        `${half} as name`,
      );
    }
    for (const whole of ['\\ud83d\\ude00', '😀', '\\\\ud800', '\\u00e4']) {
      t.equal(answerTo(200, full.replace('{', `{"unread":"${whole}",`)), 'ok', whole);
    }
  });

  t.test(`refuses a body of ${provider.id} that names another status than its own`, async (t) => {
    for (const name of ['status_code', 'status']) {
      for (const said of [404, 500, 0, 200.5, '404', ' 500 Internal Server Error']) {
        const body = { ...sample.full, [name]: said };
        t.equal(answerTo(200, body), 'malformed contradiction', `200 with ${name} ${said}`);
      }
      for (const said of [200, 500, '200 OK']) {
        const body = { ...sample.unknown, [name]: said };
        t.equal(answerTo(404, body), 'malformed contradiction', `404 with ${name} ${said}`);
      }
    }
  });

  t.test(`refuses a body of ${provider.id} that is a success and an error`, async (t) => {
    for (const status of [200, 400, 404, 500]) {
      const both = { ...sample.full, ...sample.error, status_code: status };
      t.equal(answerTo(status, both), 'malformed contradiction', `${status}`);
    }
    const nothing = Object.fromEntries(Object.keys(sample.error).map((name) => [name, null]));
    t.equal(answerTo(200, { ...sample.full, ...nothing }), 'ok', 'null is no error');
  });

  t.test(`takes no success of ${provider.id} under another status than 200`, async (t) => {
    for (const status of [
      201, 202, 203, 204, 205, 206, 226, 301, 304, 307, 400, 401, 404, 410, 422, 500, 503,
    ]) {
      const body = { ...sample.full };
      if ('status_code' in body) body.status_code = status;
      t.match(answerTo(status, body), /^malformed /, `${status}`);
    }
    const problem = { 'content-type': 'application/problem+json' };
    t.equal(answerTo(200, full, problem), 'malformed contradiction', 'a 200 that calls itself a problem');
  });

  t.test(`takes nothing but one JSON object from ${provider.id}`, async (t) => {
    const texts = ['', ' ', 'null', '0', '"ok"', '[]', '{}', `[${full}]`, JSON.stringify(full)];
    const trailing = ['}', ' x', '\u0000', full, `\n${full}`, ';', ','].map((end) => full + end);
    const leading = ['\ufeff', ")]}'\n", '<!-- -->', 'data: ', '\u00a0'].map((start) => start + full);
    const other = [full.replaceAll('"', "'"), full.replace('{', '{/**/'), full.replace('{', '{"a":NaN,')];
    for (const body of [...texts, ...trailing, ...leading, ...other]) {
      t.match(answerTo(200, body), /^malformed (not_json|schema)$/, body.slice(0, 20));
    }
    const answer = readAnswer(provider, { status: 200, headers: JSON_TYPE, body: null }, sample, CONTEXT);
    t.equal(summarise(answer), 'malformed not_json', 'bytes that are not UTF-8');
  });

  t.test(`reads JSON of ${provider.id} only where the headers say that it is plain JSON`, async (t) => {
    const refused = [
      { 'content-type': 'text/html' },
      { 'content-type': 'application/json; charset=iso-8859-1' },
      { 'content-type': 'application/json;charset="UTF-16"' },
      { 'content-type': 'application/json; charset=utf-8; charset=utf-7' },
      { 'content-type': 'application/json, text/html' },
      { 'content-type': 'application/json; a=b, text/html' },
      { 'content-encoding': 'gzip' },
      { 'content-encoding': 'identity, br' },
    ];
    for (const headers of refused) {
      t.equal(answerTo(200, full, headers), 'malformed not_json', JSON.stringify(headers));
      t.match(answerTo(404, unknown, headers), /^malformed /, JSON.stringify(headers));
    }
    for (const headers of [
      { 'content-type': 'application/json;charset=UTF-8' },
      { 'content-type': 'application/json; charset="utf-8"; profile=x' },
      { 'content-encoding': 'identity' },
    ]) {
      t.equal(answerTo(200, full, headers), 'ok', JSON.stringify(headers));
    }
  });

  t.test(`keeps no number of ${provider.id} that another reader reads more exactly`, async (t) => {
    for (const number of ['9007199254740993', '1e300', '-9007199254740993', '1e999']) {
      const body = full.replaceAll(/:(?:-?\d[\d.]*)(?=[,}])/g, (_value, at: number) =>
        full.slice(0, at).endsWith('"status_code"') ? ':200' : `:${number}`,
      );
      const answer = readAnswer(provider, respond(200, body), { id: sample.id }, CONTEXT);
      const kept = numbersIn('failure' in answer ? null : answer.signals);
      t.ok(
        kept.every((value) => Math.abs(value) <= Number.MAX_SAFE_INTEGER),
        `${number}: ${kept.join()}`,
      );
    }
  });
}

t.test('looked at every provider', async (t) => {
  t.ok(TESTED_PROVIDERS.length > PROVIDERS.length && PROVIDERS.length > 0);
});

type Holder = Readonly<Record<string, unknown>>;

/** A copy of a value in which the object that holds the last of `names` is another. */
function withMember(value: unknown, names: readonly string[], change: (holder: Holder) => Holder): Holder {
  const holder = value as Holder;
  const [name = '', ...rest] = names;
  if (rest.length === 0) return change(holder);
  return { ...holder, [name]: withMember(holder[name], rest, change) };
}

function valueAt(value: unknown, names: readonly string[]): unknown {
  return names.reduce((at, name) => (at as Holder)[name], value);
}

function numbersIn(value: unknown): readonly number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

function otherCase(name: string): string {
  const [first = ''] = name;
  const other = first === first.toLowerCase() ? first.toUpperCase() : first.toLowerCase();
  return other + name.slice(1);
}

/**
 * Texts of a value in which the member at the end of `names` stands twice: first or last, with another value
 * or the same, plain or escaped.
 */
function repetitionsOf(value: object, names: readonly string[]): readonly string[] {
  const name = names.at(-1) ?? '';
  const escaped = `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
  const own = JSON.stringify(valueAt(value, names));
  return [`"${name}":"X"`, `"${name}":${own}`, `"${escaped}":"X"`].flatMap((member) => {
    const text = JSON.stringify(
      withMember(value, names, (holder) => ({ '@first': 0, ...holder, '@last': 0 })),
    );
    return [
      text.replace('"@first":0', member).replace(',"@last":0', ''),
      text.replace('"@first":0,', '').replace('"@last":0', member),
    ];
  });
}
