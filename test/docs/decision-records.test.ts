import t from 'tap';
import { readDecisionPages } from '../../docs/adr-index.ts';

const pages = readDecisionPages();
/** Two printed pages. */
const WORDS_MAX = 1_000;
const SECTIONS = [
  'Context',
  'Decision',
  'Alternatives',
  'Consequences',
  'How we would notice that it was wrong',
];

t.test('records are numbered from 1 without a hole', async (t) => {
  t.same(
    pages.map(({ number }) => Number(number)),
    pages.map((_, place) => place + 1),
  );
});

t.test('each record has its sections, in one order', async (t) => {
  t.ok(pages.length >= 30);
  for (const { file, text } of pages) {
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading);
    t.same(
      SECTIONS.filter((section) => headings.includes(section)),
      headings.filter((heading) => SECTIONS.includes(heading)),
      file,
    );
    t.ok(headings.includes('Context') && headings.includes('Decision'), file);
  }
});

t.test('each record fits on two pages', async (t) => {
  for (const { file, text } of pages) {
    const words = text.split(/\s+/).length;
    t.ok(words <= WORDS_MAX, `${file}: ${words} words`);
  }
});
