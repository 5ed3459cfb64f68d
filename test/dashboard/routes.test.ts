import { readdirSync, readFileSync } from 'node:fs';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { buildDashboard } from '../../dashboard/build.ts';
import { createTestApp } from '../support/test-app.ts';

const ASSETS = new URL('../../src/dashboard/assets/', import.meta.url);
/** What a first visit may load, compressed. */
const FIRST_LOAD_BYTES_MAX = 90_000;

/** Asks for a page or a file of it, as a browser does: without a key. */
async function openDashboard(t: Test, env: Readonly<Record<string, string>> = {}) {
  const { app } = await createTestApp(t, { env });
  return async (url: string, headers: Record<string, string> = {}) => {
    const { statusCode, headers: received, rawPayload } = await app.server.inject({ url, headers });
    return { status: statusCode, headers: received, body: rawPayload };
  };
}

t.test('what is committed is what the sources of the page build', async (t) => {
  const built = await buildDashboard();
  t.strictSame(readdirSync(ASSETS).toSorted(), [...built.keys()].toSorted(), 'run `npm run dashboard`');
  for (const [name, text] of built)
    t.ok(readFileSync(new URL(name, ASSETS), 'utf8') === text, `${name}: run \`npm run dashboard\``);
});

t.test('the page and all that it loads is small, and comes from here', async (t) => {
  const get = await openDashboard(t);
  const page = await get('/dashboard', { 'accept-encoding': 'gzip' });
  const html = gunzipSync(page.body).toString();
  const links = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link = '']) => link);
  t.ok(links.length >= 3);
  let bytes = page.body.length;
  for (const link of links) {
    t.match(link, /^dashboard\/assets\/[\w.-]+$/);
    const file = await get(`/${link}`, { 'accept-encoding': 'gzip' });
    t.equal(file.status, 200);
    bytes += file.body.length;
  }
  t.ok(bytes <= FIRST_LOAD_BYTES_MAX, `${bytes} bytes`);
  t.notMatch(html, /<style|style=|<script>|\son\w+=/, 'nothing is inline');
});

t.test('sends every file with headers that leave a script no way out', async (t) => {
  const get = await openDashboard(t);
  for (const name of ['', ...readdirSync(ASSETS).filter((name) => name !== 'index.html')]) {
    const { status, headers } = await get(name === '' ? '/dashboard' : `/dashboard/assets/${name}`);
    t.equal(status, 200, name);
    const policy = String(headers['content-security-policy']);
    t.match(policy, /default-src 'none'/);
    t.match(policy, /script-src 'self';/);
    t.match(policy, /frame-ancestors 'none'/);
    t.match(policy, /form-action 'none'/);
    t.match(policy, /require-trusted-types-for 'script'/);
    t.notMatch(policy, /unsafe|\*|https?:|data:/);
    t.match(headers, {
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'permissions-policy': /camera=\(\)/,
      vary: /accept-encoding/,
      'x-request-id': /./,
    });
  }
});

t.test('compresses by what the browser takes', async (t) => {
  const get = await openDashboard(t);
  const plain = await get('/dashboard');
  t.equal(plain.headers['content-encoding'], undefined);
  const brotli = await get('/dashboard', { 'accept-encoding': 'gzip, deflate, br' });
  t.equal(brotli.headers['content-encoding'], 'br');
  t.strictSame(brotliDecompressSync(brotli.body), plain.body);
  const gzip = await get('/dashboard', { 'accept-encoding': 'gzip, br;q=0' });
  t.equal(gzip.headers['content-encoding'], 'gzip');
  t.strictSame(gunzipSync(gzip.body), plain.body);
});

t.test('answers 304 to a browser that has the file, and never again for names with a hash', async (t) => {
  const get = await openDashboard(t);
  const first = await get('/dashboard', { 'accept-encoding': 'br' });
  t.equal(first.headers['cache-control'], 'no-cache');
  const etag = String(first.headers.etag);
  const again = await get('/dashboard', { 'accept-encoding': 'br', 'if-none-match': `"other", ${etag}` });
  t.equal(again.status, 304);
  t.equal(again.body.length, 0);
  const other = await get('/dashboard', { 'accept-encoding': 'gzip', 'if-none-match': etag });
  t.equal(other.status, 200, 'another encoding is another representation');
  const script = readdirSync(ASSETS).find((name) => name.endsWith('.js'));
  const { headers } = await get(`/dashboard/assets/${script}`);
  t.match(headers['cache-control'], /immutable/);
});

t.test('sends the address with a slash to the one without, below whatever path', async (t) => {
  const get = await openDashboard(t);
  const { status, headers } = await get('/dashboard/');
  t.equal(status, 308);
  t.equal(headers.location, '../dashboard');
});

t.test('knows no other file', async (t) => {
  const get = await openDashboard(t);
  for (const path of ['/dashboard/assets/..%2froutes.ts', '/dashboard/assets/x.js', '/dashboard/index.html'])
    t.equal((await get(path)).status, 404, path);
});

t.test('DASHBOARD=off takes the page away', async (t) => {
  const get = await openDashboard(t, { DASHBOARD: 'off' });
  t.equal((await get('/dashboard')).status, 404);
});
