import t from 'tap';
import { toCsvLine } from '../../../src/http/decision-log/csv.ts';

t.test('quotes every text, and no number', async (t) => {
  t.equal(
    toCsvLine(['plain', 'a "word"', 'two\r\nlines', '', 1.5, true, null]),
    '"plain","a ""word""","two\r\nlines","",1.5,true,\r\n',
  );
});

t.test('lets no spreadsheet run a text, whatever separates its cells', async (t) => {
  const cells: Readonly<Record<string, string>> = {
    '=1': "'=1",
    '+1': "'+1",
    '-1': "'-1",
    '@SUM(1)': "'@SUM(1)",
    '＝1': "'＝1",
    '＋1': "'＋1",
    '－1': "'－1",
    '＠SUM(1)': "'＠SUM(1)",
    '  =1': "'  =1",
    '\u00A0=1': "'\u00A0=1",
    '\u200B=1': "'\u200B=1",
    '\uFEFF=1': "'\uFEFF=1",
    '\t1': "'\t1",
    '\r1': "'\r1",
    '\n1': "'\n1",
    'a;=HYPERLINK(A1)': "a;'=HYPERLINK(A1)",
    'a; =1': "a;' =1",
    'a,＝1': "a,'＝1",
    'a\t=1': "a\t'=1",
    'a|=1': "a|'=1",
    'a\n=1': "a\n'=1",
    'a;"=1"': `a;'""=1""`,
    "a;'=1": "a;''=1",
    ';=1;=2': ";'=1;'=2",
    ',;=1': ",;'=1",
  };
  for (const [text, safe] of Object.entries(cells))
    t.equal(toCsvLine([text]), `"${safe}"\r\n`, JSON.stringify(text));
});

t.test('leaves alone what is no formula', async (t) => {
  for (const text of ['a=1', 'shop-1', 'me@example.com', '2026-01-15T09:30:00.000Z', 'a; b', 'a, b=1'])
    t.equal(toCsvLine([text]), `"${text}"\r\n`);
});
