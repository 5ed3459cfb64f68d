// A Worker that asks riskgate before it lets a request go on to the origin.

// Longer than DECISION_DEADLINE_MS.
const TIMEOUT_MS = 2000;
const RISK_HEADERS = ['x-risk-decision', 'x-risk-decision-id', 'x-risk-reasons'];
// What belongs to this connection and not to the next, what is said by us alone, and the body, which is not sent.
const NOT_FORWARDED = [
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-original-method',
  'x-original-uri',
  'x-real-ip',
];
// What a refused client may see. The reasons are for the application.
const SHOWN = [
  'x-risk-decision',
  'x-risk-decision-id',
  'content-type',
  'location',
  'retry-after',
  'www-authenticate',
];

export default {
  async fetch(request, env) {
    // The origin is sent this one reading of the URL, in which `..`, `%2e` and `\` are resolved.
    const url = new URL(request.url);
    const answer = await ask(request, url, env);
    if (answer === null) return unavailable();
    if (answer.status !== 200) return refuse(answer);
    const headers = withoutRiskHeaders(request.headers);
    for (const name of RISK_HEADERS) headers.set(name, answer.headers.get(name));
    // `manual`: the origin's redirects are the client's to follow.
    return fetch(new Request(url, new Request(request, { headers, redirect: 'manual' })));
  },
};

// The answer with its body, or null where there is none that is riskgate's, in time.
async function ask(request, url, env) {
  const headers = withoutRiskHeaders(request.headers);
  // As the client wrote it, so that nothing is exempt whose path had to be resolved. A Host with a path in it moves both.
  const isAsWritten = request.url.startsWith(`${url.origin}/`);
  for (const name of NOT_FORWARDED) headers.delete(name);
  headers.set('x-riskgate-key', env.RISKGATE_KEY);
  headers.set('x-original-method', request.method);
  headers.set(
    'x-original-uri',
    isAsWritten ? request.url.slice(url.origin.length) : url.pathname + url.search,
  );
  // Cloudflare's edge overwrites what a client says here.
  const address = request.headers.get('cf-connecting-ip');
  if (address !== null) headers.set('x-real-ip', address);
  try {
    const answer = await env.RISKGATE.fetch(`http://riskgate/v1/gateway/nginx/${profileOf(url.pathname)}`, {
      headers,
      redirect: 'manual',
      // Cloudflare's cache has one answer for each URL, for all clients.
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body = await answer.text();
    const isOurs =
      [200, 401, 403, 503].includes(answer.status) && RISK_HEADERS.every((name) => answer.headers.get(name));
    return isOurs ? { status: answer.status, headers: answer.headers, body } : null;
  } catch {
    return null;
  }
}

// A path that servers read in several ways belongs to no profile but the default.
const AMBIGUOUS = /\/\/|[\\;]|\/\.+(?:\/|$)|%(?:[013-7]|2[^0])/;

function profileOf(pathname) {
  if (AMBIGUOUS.test(pathname)) return 'default';
  if (pathname.startsWith('/api/')) return 'api';
  if (pathname.startsWith('/account/')) return 'web';
  if (pathname.startsWith('/catalogue/')) return 'catalogue';
  return 'default';
}

// X-Risk-Decision, X_Risk_Decision, X.Risk~Decision: application servers take them for the same. X-Riskgate-Key too.
function withoutRiskHeaders(original) {
  const headers = new Headers(original);
  for (const name of original.keys())
    if (name.replace(/[^a-z]/g, '-').startsWith('x-risk')) headers.delete(name);
  return headers;
}

function refuse({ status, headers, body }) {
  const shown = new Headers({ 'cache-control': 'no-store' });
  for (const name of SHOWN) if (headers.has(name)) shown.set(name, headers.get(name));
  // This dialect's redirect is a 401 that says where to go.
  return new Response(body, {
    status: status === 401 && headers.has('location') ? 302 : status,
    headers: shown,
  });
}

function unavailable() {
  return new Response('{"decision":"UNAVAILABLE","decision_id":null}', {
    status: 503,
    headers: {
      'cache-control': 'no-store',
      'content-type': 'application/json',
      'retry-after': '1',
      'x-risk-decision': 'UNAVAILABLE',
      'x-risk-decision-id': 'none',
    },
  });
}
