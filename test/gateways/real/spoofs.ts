import type { Test } from 'tap';
import { GOOD_IDS, idsOf } from './browse.ts';
import { type Ask, checkLetIn, checkRefused, PREFLIGHT } from './checks.ts';

const NAMES = ['X-Risk-Decision', 'X-Risk-Decision-Id', 'X-Risk-Reasons', 'X-Riskgate-Key'];
/**
 * What else may stand in a field name (RFC 9110, section 5.6.2). Application servers that hand fields on as
 * variables make one sign of all of them.
 */
const OTHER_SIGNS = "~ ! # $ % & ' * + ^ ` |".split(' ');
const COMMON_SIGNS = ['-', '_', '.'];
/** Gateways refuse requests of a hundred fields. */
const FIELDS_AT_ONCE = 40;

/** Every name that an application server may take for one of ours. */
function listAliases(): string[] {
  const mixed = NAMES.flatMap((name) => {
    const [first = '', ...words] = name.split('-');
    return words.reduce(
      (begun, word) => begun.flatMap((begin) => COMMON_SIGNS.map((sign) => `${begin}${sign}${word}`)),
      [first],
    );
  });
  const uniform = OTHER_SIGNS.flatMap((sign) => NAMES.map((name) => name.replaceAll('-', sign)));
  const once = OTHER_SIGNS.flatMap((sign) => NAMES.map((name) => name.replace('-', sign)));
  return [...mixed, ...uniform, ...once, ...NAMES.map((name) => name.toLowerCase())];
}

/** What clients may say in our name or in that of the gateway. */
export async function testSpoofs(t: Test, ask: Ask): Promise<void> {
  await t.test('no alias of our headers reaches the application from a client', async (t) => {
    const aliases = listAliases();
    t.equal(aliases.length, 9 + 27 + 9 + 9 + 2 * 4 * OTHER_SIGNS.length + 4);
    for (let start = 0; start < aliases.length; start += FIELDS_AT_ONCE) {
      const spoofed = aliases.slice(start, start + FIELDS_AT_ONCE).flatMap((name) => [name, 'spoofed']);
      for (const headers of [
        [...GOOD_IDS, ...spoofed],
        [...spoofed, ...GOOD_IDS],
      ]) {
        const one = await ask({ headers });
        checkLetIn(t, one, aliases[start] ?? '');
        t.notMatch(one.seen?.rawHeaders.join('\n'), /spoofed/);
      }
      const preflight = await ask({ method: 'OPTIONS', headers: [...PREFLIGHT, ...spoofed] });
      checkLetIn(t, preflight, 'an exempt request');
      t.notMatch(preflight.seen?.rawHeaders.join('\n'), /spoofed/, 'on an exempt request neither');
    }
    const passed = await ask({
      path: '/api/cart',
      headers: [...idsOf('challenge'), 'X-Risk-Decision', 'ALLOW', 'X.Risk.Decision', 'ALLOW'],
    });
    checkLetIn(t, passed, 'CHALLENGE', 'CHALLENGE');
    const refused = await ask({
      headers: [...idsOf('forged'), 'X-Risk-Decision', 'ALLOW', 'X_Risk_Decision', 'ALLOW'],
    });
    checkRefused(t, refused, 403, 'BLOCK', 'BLOCK');
  });

  await t.test('X-Original-* and X-Forwarded-* of clients are not believed', async (t) => {
    const good = '/catalogue/public/x?telemetry_id=allow&device_id=active';
    const spoofed = [
      'X-Original-URI',
      good,
      'X-Original-URL',
      good,
      'X-Original-Method',
      'OPTIONS',
      'X-Forwarded-Uri',
      good,
      'X-Forwarded-Method',
      'OPTIONS',
      'X-Forwarded-Host',
      'other.example',
      'X-Rewrite-URL',
      good,
      'X-HTTP-Method-Override',
      'OPTIONS',
      'X-Forwarded-For',
      '127.0.0.1',
    ];
    checkRefused(t, await ask({ headers: spoofed }), 403, 'BLOCK', 'without ids');
    checkRefused(t, await ask({ headers: [...spoofed, ...PREFLIGHT] }), 403, 'BLOCK', 'and no preflight');
    checkRefused(
      t,
      await ask({ headers: [...idsOf('forged'), ...spoofed] }),
      403,
      'BLOCK',
      'with a forged id',
    );
    checkLetIn(
      t,
      await ask({ headers: [...GOOD_IDS, 'X-Original-URI', '/x', 'X-Forwarded-Uri', '/x'] }),
      'with good ids',
    );
  });

  await t.test("a client's X-Riskgate-Key is replaced", async (t) => {
    checkLetIn(t, await ask({ headers: [...GOOD_IDS, 'X-Riskgate-Key', 'wrong'] }), 'ALLOW');
  });
}
