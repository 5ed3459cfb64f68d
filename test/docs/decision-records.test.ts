import t from 'tap';
import { readDecisionPages } from '../../docs/adr-index.ts';

const pages = readDecisionPages();
const SECTIONS = [
  'Context',
  'Decision',
  'Alternatives',
  'Consequences',
  'How we would notice that it was wrong',
];

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
