/**
 * Characters that start a formula in a spreadsheet, including the full-width forms of East Asian keyboards.
 */
const FORMULA_SIGNS = '=+\\-@\uFF1D\uFF0B\uFF0D\uFF20';
/**
 * What stands between cells by some locale or setting: a text with one of them can be cut there, and what
 * follows be a cell of its own.
 */
const SEPARATORS = ',;|\\t\\r\\n';
/** What is skipped before a formula: spaces, control and invisible characters, and quotes. */
const SKIPPED = '[\\s\\p{Cc}\\p{Cf}"\u2018\u2019\']*';
const FORMULA = new RegExp(`(^|[${SEPARATORS}])(?=${SKIPPED}[${FORMULA_SIGNS}])`, 'gu');
/** OWASP lists these as starts of formulas, whatever follows. */
const BLANK_START = /^[\t\r\n]/;

/** U+FEFF, by which Excel knows that a file is UTF-8. */
export const BYTE_ORDER_MARK = '\uFEFF';

/**
 * One line of CSV (RFC 4180) with its CRLF. Texts are quoted, null is an empty cell. An apostrophe stands
 * before whatever a spreadsheet would run as a formula (OWASP, CSV injection), at the beginning of a text and
 * after everything that may separate cells.
 */
export function toCsvLine(cells: readonly (string | number | boolean | null)[]): string {
  return `${cells.map(toCell).join(',')}\r\n`;
}

function toCell(value: string | number | boolean | null): string {
  if (value === null) return '';
  return typeof value === 'string' ? `"${withoutFormulas(value).replaceAll('"', '""')}"` : String(value);
}

function withoutFormulas(text: string): string {
  const safe = text.replace(FORMULA, "$1'");
  return BLANK_START.test(safe) ? `'${safe}` : safe;
}
