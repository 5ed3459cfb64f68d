import { hash } from 'node:crypto';
import type { Test } from 'tap';
import { until } from '../../support/test-app.ts';
import { valuesOf } from './application.ts';
import { browse, type ClientRequest, GOOD_IDS, idsOf, sendTruncated } from './browse.ts';
import { type Ask, checkLetIn, checkRefused, PREFLIGHT, type RunningGateway, type Seen } from './checks.ts';
import { testEvasions } from './evasions.ts';
import { testSpoofs } from './spoofs.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'REPORT', 'MKCOL'];

/** The one list of cases that every gateway has to pass with its recipe. */
export async function runMatrix(t: Test, gateway: RunningGateway): Promise<void> {
  const { port, application } = gateway;
  const ask = async (request: ClientRequest = {}): Promise<Seen> => {
    const before = application.seen.length;
    const answer = await browse(port, request);
    return { answer, seen: application.seen.at(before) ?? null };
  };
  await testVerdicts(t, ask);
  await testStepUp(t, ask, gateway);
  await testIds(t, ask);
  await testSpoofs(t, ask);
  await testEvasions(t, ask, gateway);
  await testShapes(t, ask, gateway);
  await testProfiles(t, ask);
  await testCaching(t, ask, gateway);
  await testOutages(t, ask, gateway);
}

async function testVerdicts(t: Test, ask: Ask): Promise<void> {
  await t.test('three verdicts', async (t) => {
    checkLetIn(t, await ask(), 'ALLOW');
    const challenged = await ask({ headers: idsOf('challenge') });
    checkRefused(t, challenged, 401, 'CHALLENGE', 'CHALLENGE');
    t.match(challenged.answer.headers['www-authenticate'], /insufficient_user_authentication/);
    checkRefused(t, await ask({ headers: idsOf('forged') }), 403, 'BLOCK', 'BLOCK');
  });

  await t.test('a browser-like same-origin fetch can read the decision', async (t) => {
    for (const [telemetryId, decision] of [
      ['challenge', 'CHALLENGE'],
      ['forged', 'BLOCK'],
    ] as const) {
      const { answer } = await ask({
        method: 'POST',
        path: '/shop/cart',
        headers: [
          'Accept',
          '*/*',
          'Accept-Encoding',
          'gzip, deflate, br',
          'Content-Type',
          'application/json',
          'Origin',
          'http://shop.example',
          'Sec-Fetch-Mode',
          'cors',
          'Sec-Fetch-Site',
          'same-origin',
          'Cookie',
          `theme=dark; telemetry_id=${telemetryId}; device_id=active`,
        ],
        body: '{"item": 1}',
      });
      t.equal(answer.headers['x-risk-decision'], decision);
      t.match(answer.headers['content-type'], /^application\/json/);
      t.match(
        JSON.parse(answer.text),
        { decision, decision_id: answer.headers['x-risk-decision-id'] },
        answer.text,
      );
      t.match(answer.headers['x-risk-decision-id'], /^[0-9a-f-]{36}$/, 'it was decided');
      t.match(answer.headers['cache-control'], /no-store/);
    }
  });
}

async function testStepUp(t: Test, ask: Ask, { report }: RunningGateway): Promise<void> {
  await t.test('a challenge that was passed lets the next request in', async (t) => {
    const request = { headers: idsOf('challenge-step-up') };
    const { answer } = await ask(request);
    checkRefused(t, await ask(request), 401, 'CHALLENGE', 'before');
    t.match(answer.headers['www-authenticate'], /insufficient_user_authentication.*max_age="\d+"/);
    const id = String(answer.headers['x-risk-decision-id']);
    const told = { label: 'challenge_passed', method: 'otp' };
    await until('the decision is in the log', async () => (await report(id, told)) === 200);
    checkLetIn(t, await ask(request), 'after');
    checkRefused(t, await ask({ headers: idsOf('challenge-step-up-2') }), 401, 'CHALLENGE', 'another');
    t.equal(await report(id, { label: 'challenge_failed' }), 200);
    checkRefused(t, await ask(request), 401, 'CHALLENGE', 'a challenge that failed ends it');
  });
}

async function testIds(t: Test, ask: Ask): Promise<void> {
  await t.test('missing, forged, repeated and malformed ids', async (t) => {
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ['no ids', []],
      ['no device id', ['X-Telemetry-ID', 'allow']],
      ['no telemetry id', ['X-Device-ID', 'active']],
      ['a forged telemetry id', idsOf('forged')],
      ['an unknown device id', idsOf('allow', 'unknown-device')],
      ['two telemetry ids, the good one first', [...GOOD_IDS, 'X-Telemetry-ID', 'forged']],
      ['two telemetry ids, the good one last', ['X-Telemetry-ID', 'forged', ...GOOD_IDS]],
      ['twice the same', [...GOOD_IDS, 'x-telemetry-id', 'allow']],
      ['joined ids', ['X-Telemetry-ID', 'allow, forged', 'X-Device-ID', 'active']],
      ['two device ids', [...GOOD_IDS, 'X-Device-ID', 'unknown-device']],
      ['two cookies', ['Cookie', 'telemetry_id=allow; telemetry_id=forged; device_id=active']],
    ];
    for (const [what, headers] of cases) checkRefused(t, await ask({ headers }), 403, 'BLOCK', what);
  });

  await t.test('ids in the query and in cookies', async (t) => {
    const query = { path: '/shop?telemetry_id=allow&device_id=active', headers: [] };
    checkLetIn(t, await ask(query), 'query');
    checkLetIn(t, await ask({ headers: ['Cookie', 'telemetry_id=allow; device_id=active'] }), 'cookies');
    for (const path of [
      '/shop?telemetry_id=allow&telemetry_id=forged&device_id=active',
      '/shop?telemetry_id=%zz',
    ])
      checkRefused(t, await ask({ path, headers: [] }), 403, 'BLOCK', path);
  });
}

async function testShapes(t: Test, ask: Ask, { port, refusedMethods = [] }: RunningGateway): Promise<void> {
  await t.test('every method', async (t) => {
    for (const method of METHODS) {
      const good = await ask({ method });
      if (refusedMethods.includes(method)) {
        t.equal(good.seen, null, `${method} is refused by the gateway itself`);
        continue;
      }
      checkLetIn(t, good, method);
      t.equal(good.seen?.method, method);
      const forged = await ask({ method, headers: idsOf('forged') });
      t.same([forged.seen, forged.answer.status], [null, 403], method);
    }
  });

  await t.test('bodies arrive whole, of whichever kind', async (t) => {
    const bodies: readonly (readonly [string, string | Buffer, boolean])[] = [
      ['application/json', '{"item": 1}', false],
      ['application/json', '', false],
      ['application/x-www-form-urlencoded', 'item=1&telemetry_id=forged', false],
      ['multipart/form-data; boundary=b', '--b\r\n\r\nx\r\n--b--\r\n', false],
      ['application/json', '{"item": 2}', true],
      ['application/octet-stream', Buffer.alloc(2 * 1024 * 1024, 'x'), false],
      ['application/octet-stream', Buffer.alloc(300_000, 'y'), true],
    ];
    for (const [type, body, isChunked] of bodies) {
      const what = `${type}, ${body.length} bytes${isChunked ? ', chunked' : ''}`;
      const headers = [...GOOD_IDS, 'Content-Type', type];
      const one = await ask({ method: 'POST', headers, body, isChunked });
      checkLetIn(t, one, what);
      t.same([one.seen?.bodyBytes, one.seen?.bodySha256], [body.length, hash('sha256', body)], what);
    }
    const refused = await ask({ method: 'POST', headers: idsOf('forged'), body: '{"item": 1}' });
    checkRefused(t, refused, 403, 'BLOCK', 'a refused body');
  });

  await t.test('a body that is cut short harms nobody', async (t) => {
    for (let n = 0; n < 5; n += 1) await sendTruncated(port);
    checkLetIn(t, await ask(), 'the next request');
    checkRefused(t, await ask({ headers: idsOf('forged') }), 403, 'BLOCK', 'and the one after it');
  });

  await t.test('a CORS preflight is let in without ids', async (t) => {
    const { answer, seen } = await ask({ method: 'OPTIONS', headers: PREFLIGHT });
    t.same([answer.status, seen?.method], [200, 'OPTIONS']);
    checkRefused(t, await ask({ method: 'OPTIONS', headers: [] }), 403, 'BLOCK', 'an OPTIONS that is none');
  });
}

async function testProfiles(t: Test, ask: Ask): Promise<void> {
  await t.test('a profile that passes a challenge on', async (t) => {
    checkLetIn(t, await ask({ path: '/api/cart', headers: idsOf('challenge') }), 'CHALLENGE', 'CHALLENGE');
    checkLetIn(t, await ask({ path: '/api/cart' }), 'ALLOW');
    checkRefused(t, await ask({ path: '/api/cart', headers: idsOf('forged') }), 403, 'BLOCK', 'BLOCK');
  });

  await t.test('a profile that redirects a challenge', async (t) => {
    const { answer, seen } = await ask({ path: '/account/', headers: idsOf('challenge') });
    t.same([answer.status, answer.headers.location, seen], [302, 'https://login.example/step-up', null]);
    checkLetIn(t, await ask({ path: '/account/' }), 'ALLOW');
    checkRefused(t, await ask({ path: '/account/', headers: idsOf('forged') }), 403, 'BLOCK', 'BLOCK');
  });
}

async function testCaching(t: Test, ask: Ask, gateway: RunningGateway): Promise<void> {
  await t.test(
    gateway.caches ? 'an ALLOW is kept as long as riskgate says' : 'no ALLOW is kept',
    async (t) => {
      const path = `/catalogue/item-${Date.now()}`;
      const asked = async () => gateway.proxy.connections() + (await decisionsOf(gateway));
      checkLetIn(t, await ask({ path }), 'the first');
      const before = await asked();
      gateway.proxy.cut();
      const again = await ask({ path });
      if (gateway.caches) checkLetIn(t, again, 'the second, without riskgate');
      else t.equal(again.seen, null, 'nobody is let in without riskgate');
      for (const headers of [
        idsOf('forged'),
        idsOf('allow', 'minimal'),
        [],
        [...GOOD_IDS, 'X-Telemetry-ID', 'forged'],
      ]) {
        const other = await ask({ path, headers });
        const isJudgedId = gateway.caches && headers.length === 6;
        if (isJudgedId && other.seen !== null)
          t.same(
            valuesOf(other.seen, 'x-telemetry-id'),
            ['allow'],
            'the application sees the judged id alone',
          );
        else t.equal(other.seen, null, `not for others: ${headers.join(' ')}`);
      }
      t.equal((await ask({ path: '/shop' })).seen, null, 'nor elsewhere');
      gateway.proxy.mend();
      t.ok((await asked()) >= before);
      await until(
        'the gateway lets in again',
        async () => (await ask({ path: '/shop' })).answer.status === 200,
      );
    },
  );

  await t.test('a challenge and a block are never kept', async (t) => {
    for (const telemetryId of ['challenge', 'forged']) {
      const request = { path: `/catalogue/${telemetryId}`, headers: idsOf(telemetryId) };
      t.equal((await ask(request)).seen, null);
      gateway.proxy.cut();
      const { answer, seen } = await ask(request);
      t.equal(seen, null);
      t.ok(answer.status >= 500, `${answer.status}: asked again`);
      gateway.proxy.mend();
      await until('the gateway lets in again', async () => (await ask()).answer.status === 200);
    }
  });
}

async function decisionsOf(gateway: RunningGateway): Promise<number> {
  const lines = (await gateway.metrics()).matchAll(/^riskgate_decisions_total\{.*\} (\d+)$/gm);
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function testOutages(t: Test, ask: Ask, gateway: RunningGateway): Promise<void> {
  const checkUnavailable = (t: Test, { answer, seen }: Seen, what: string) => {
    t.equal(seen, null, `${what}: nobody is let in`);
    t.ok(answer.status >= 500, `${what}: ${answer.status}`);
    t.notMatch(answer.text, /127\.0\.0\.1|riskgate|lua|\/v1\//i, `${what}: names no internals`);
    t.equal(answer.headers['x-risk-decision'], 'UNAVAILABLE', what);
  };

  await t.test('a slow upstream is a challenge, in time', async (t) => {
    const slow = await ask({ headers: idsOf('fault-hang') });
    checkRefused(t, slow, 401, 'CHALLENGE', 'a provider that hangs');
  });

  await t.test('a riskgate that does not answer lets nobody in, and the gateway goes on', async (t) => {
    gateway.proxy.setDelayMs(6_000);
    checkUnavailable(t, await ask(), 'frozen');
    checkUnavailable(t, await ask({ path: '/api/cart' }), 'frozen, in a profile that passes');
    gateway.proxy.setDelayMs(0);
    await until('the gateway lets in again', async () => (await ask()).answer.status === 200);
  });

  await t.test('a riskgate that is down lets nobody in, and one that is restarted is found', async (t) => {
    await gateway.stopService();
    checkUnavailable(t, await ask(), 'down');
    checkUnavailable(t, await ask({ method: 'POST', body: '{"item": 1}' }), 'down, with a body');
    await gateway.startService();
    await until('the gateway lets in again', async () => (await ask()).answer.status === 200);
    checkLetIn(t, await ask(), 'restarted');
    checkRefused(t, await ask({ headers: idsOf('forged') }), 403, 'BLOCK', 'restarted');
  });

  await t.test('a question that a gateway repeats is one decision', async (t) => {
    const path = `/shop/once-${Date.now()}`;
    await ask({ path });
    const before = await decisionsOf(gateway);
    for (let n = 0; n < 3; n += 1) checkLetIn(t, await ask({ path }), 'a repeat');
    t.equal(await decisionsOf(gateway), before);
  });
}
