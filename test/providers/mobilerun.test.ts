import t from 'tap';
import { mobilerun } from '../../src/providers/mobilerun/index.ts';
import { readAnswer } from '../../src/providers/read-answer.ts';
import {
  CONTEXT,
  hashOf,
  NOW_MS,
  parseSettings,
  parseSignals,
  respond,
  signalsOf,
  summarise,
  UNTOLD,
} from './answer-support.ts';
import { MOBILERUN_FULL } from './payloads.ts';

const ENV = { MOBILERUN_API_KEY: 'dr_sk_1' };
const SETTINGS = parseSettings(mobilerun, ENV);
const PROBLEM = { 'content-type': 'application/problem+json' };

const answerTo = (status: number, body: unknown, headers = {}, id = 'device-1') =>
  readAnswer(mobilerun, respond(status, body, headers), { id }, CONTEXT);
const problemAnswer = (status: number, title: string, detail: string, id?: string) =>
  summarise(answerTo(status, { title, status, detail }, PROBLEM, id));

t.test('sends a GET with the key, and the display only where one is set', async (t) => {
  t.equal(mobilerun.baseUrl(SETTINGS), 'https://api.mobilerun.ai/v1');
  t.same(mobilerun.toRequest(SETTINGS, { id: 'device-1', accountId: 'a', action: 'b' }), {
    method: 'GET',
    path: '/devices/device-1/fingerprint',
    headers: { accept: 'application/json', authorization: 'Bearer dr_sk_1', 'user-agent': 'riskgate' },
  });
  const withDisplay = parseSettings(mobilerun, { ...ENV, MOBILERUN_DISPLAY_ID: '0' });
  t.equal(mobilerun.toRequest(withDisplay, { id: 'd' })?.headers['x-device-display-id'], '0');
});

t.test('refuses a display that is not a whole number from 0 on', async (t) => {
  const schema = mobilerun.settings['displayId']?.schema;
  for (const raw of ['-1', '1.5', 'x', '', '1e3']) t.notOk(schema?.safeParse(raw).success, raw);
});

t.test('gives every documented error one outcome', async (t) => {
  const table: readonly [number, string, string, string][] = [
    [400, 'Bad Request', 'invalid device id', 'invalid_request http_400'],
    [401, 'Unauthorized', 'bad key', 'unauthorized http_401'],
    [402, 'Payment Required', 'insufficient credits', 'unauthorized http_402'],
    [401, 'Unauthorized', 'unsupported feature', 'unauthorized http_401'],
    [402, 'Payment Required', 'unsupported feature', 'unauthorized http_402'],
    [429, 'Too Many Requests', 'unsupported feature', 'rate_limited http_429'],
    [403, 'Forbidden', 'plan limit reached', 'unauthorized http_403'],
    [403, 'Forbidden', 'your plan does not support this feature', 'unauthorized http_403'],
    [404, 'Not Found', 'device not found', 'not_found'],
    [404, 'Not Found', '', 'not_found'],
    [404, '', '', 'not_found'],
    [404, 'Not Found', 'unsupported feature: fingerprint', 'unsupported'],
    [404, 'Not Found', 'device not found or fingerprint not supported', 'not_found'],
    [408, 'Request Timeout', '', 'timeout http_408'],
    [415, 'Unsupported Media Type', '', 'invalid_request http_415'],
    [422, 'Unprocessable Entity', 'validation failed', 'invalid_request http_422'],
    [429, 'Too Many Requests', '', 'rate_limited http_429'],
    [499, '', '', 'unavailable http_499'],
    [500, 'Internal Server Error', 'an unexpected error occurred', 'unavailable http_500'],
    [500, 'Internal Server Error', 'device not found', 'not_found'],
    [500, 'Internal Server Error', 'Device "0f3a.b" does not exist', 'not_found'],
    [500, 'Internal Server Error', 'invalid device ID', 'not_found'],
    [500, 'Internal Server Error', 'invalid id', 'not_found'],
    [500, 'Internal Server Error', 'database not found', 'unavailable http_500'],
    [500, 'Internal Server Error', 'unsupported feature', 'unavailable http_500'],
    [501, 'Not Implemented', '', 'unavailable http_501'],
    [503, 'Service Unavailable', 'device not found', 'unavailable http_503'],
    [307, 'Not Found', 'device not found', 'malformed redirect'],
  ];
  for (const [status, title, detail, expected] of table) {
    t.equal(problemAnswer(status, title, detail), expected, `${status} ${title}: ${detail}`);
  }
});

t.test('recognises the unsupported-feature error under any status it may have', async (t) => {
  const texts = [
    ['Unsupported Feature', ''],
    ['unsupported-feature', 'x'],
    ['Error', 'This device does not support fingerprint snapshots'],
    ['Error', 'fingerprint is not supported on this device'],
    ['Error', "device doesn't support the fingerprint feature"],
  ];
  for (const status of [400, 403, 404, 405, 409, 410, 422, 501]) {
    for (const [title = '', detail = ''] of texts) {
      t.equal(problemAnswer(status, title, detail), 'unsupported', `${status} ${title} ${detail}`);
    }
  }
  const byType = answerTo(409, { type: 'https://example.com/errors/unsupported-feature' }, PROBLEM);
  t.match(byType, { outcome: 'unsupported', signals: { found: true, supported: false } });
});

t.test('takes a validation error for what it is, whatever it mentions', async (t) => {
  const errors = [{ location: 'header.X-Device-Display-ID', message: 'm', value: -1 }];
  const body = { title: 'Unprocessable Entity', detail: 'feature not supported', errors };
  t.equal(summarise(answerTo(422, body, PROBLEM)), 'invalid_request http_422');
});

t.test('does not let an id that the error quotes turn not found into unsupported', async (t) => {
  const attacks = ['unsupported-feature', 'unsupported fingerprint', 'x/unsupported"feature', 'unsupported'];
  for (const id of attacks) {
    for (const quoted of [id, JSON.stringify(id), encodeURIComponent(id)]) {
      t.equal(problemAnswer(404, 'Not Found', `no record for ${quoted}`, id), 'not_found', quoted);
      t.equal(problemAnswer(404, 'Not Found', `no fingerprint for ${quoted}`, id), 'not_found', quoted);
    }
  }
  const detail = 'unsupported feature: this device does not support fingerprint';
  t.equal(problemAnswer(404, 'Not Found', detail, 'unsupported'), 'unsupported');
});

t.test('takes a 404 that is not JSON for a wrong URL', async (t) => {
  t.equal(
    summarise(answerTo(404, '404 page not found', { 'content-type': 'text/plain' })),
    'malformed http_404',
  );
  t.equal(summarise(answerTo(404, '<html>')), 'malformed http_404');
  t.equal(summarise(answerTo(404, [])), 'malformed http_404');
});

t.test('reads a full fingerprint', async (t) => {
  const signals = mobilerun.present(signalsOf(answerTo(200, MOBILERUN_FULL)), NOW_MS, UNTOLD);
  const { identifiers } = MOBILERUN_FULL;
  t.strictSame(parseSignals(mobilerun, signals), signals);
  t.match(signals, {
    found: true,
    supported: true,
    model: { brand: 'google', model: 'Pixel 8', aosp_version: '14', image_repository: 'example/aosp' },
    display: { width: 1080, height: 2400, density_dpi: 420 },
    identifiers: {
      imei_hash: hashOf(identifiers.IdentifierIMEI),
      bluetooth_mac_hash: hashOf('00:1a:7d:da:71:13'),
      bootloader_serial_hash: hashOf('canary-boot-1'),
    },
    empty_identifiers: 0,
    imei_present: true,
    imei_luhn_valid: true,
    imei_tac_reserved: false,
    meid_well_formed: true,
    imsi_well_formed: true,
    imsi_mcc: 505,
    imsi_matches_sim_operator: true,
    wifi_mac_multicast: false,
    bluetooth_mac_multicast: false,
    repeated_identifiers: [],
    default_identifiers: [],
    wifi_mac_locally_administered: true,
    bluetooth_mac_locally_administered: false,
    carrier_country: 'AU',
    carrier_operator: 'Example Mobile',
    carrier_operator_numeric: 50501,
    sim_operator: 'Example SIM',
    sim_operator_numeric: 50501,
    time_zone: 'Australia/Melbourne',
  });
  t.equal(Object.keys(Object(signals['identifiers'])).length, 15);
});

t.test('reads the smallest fingerprint, where empty means absent', async (t) => {
  const identifiers = Object.fromEntries(Object.keys(MOBILERUN_FULL.identifiers).map((name) => [name, '']));
  const carrier = {
    GsmOperatorAlpha: '',
    GsmOperatorNumeric: 0,
    GsmSimOperatorAlpha: '',
    GsmSimOperatorIsoCountry: '',
    GsmSimOperatorNumeric: 0,
    PersistSysTimezone: '',
  };
  const signals = signalsOf(answerTo(200, { model: {}, display: {}, identifiers, carrier }));
  t.same(signals, {
    found: true,
    supported: true,
    model: {},
    display: {},
    identifiers: {},
    empty_identifiers: 15,
    imei_present: false,
  });
  t.strictSame(parseSignals(mobilerun, signals), signals);
});

t.test('tells what is odd about the identifiers', async (t) => {
  const factsOf = (changes: Record<string, string>) => {
    const identifiers = { ...MOBILERUN_FULL.identifiers, ...changes };
    return signalsOf(answerTo(200, { ...MOBILERUN_FULL, identifiers }));
  };
  t.equal(factsOf({ IdentifierIMEI: '490154203237519' })['imei_luhn_valid'], false);
  t.equal(factsOf({ IdentifierIMEI: '49015420323751' })['imei_luhn_valid'], false);
  t.equal(factsOf({ IdentifierIMEI: '49015420323751x' })['imei_luhn_valid'], false);
  t.equal(factsOf({ IdentifierIMSI: '262010000000001' })['imsi_matches_sim_operator'], false);
  t.notOk('wifi_mac_locally_administered' in factsOf({ IdentifierWifiMAC: 'unknown' }));
  const deleted = factsOf({ IdentifierGAID: '00000000-0000-0000-0000-000000000000' });
  t.notOk(Object.hasOwn(Object(deleted['identifiers']), 'gaid_hash'), 'that of everybody who deleted it');
  t.equal(factsOf({ IdentifierWifiMAC: ' ', IdentifierGAID: '' })['empty_identifiers'], 2);
});

const factsOf = (changes: Record<string, string>) => {
  const identifiers = { ...MOBILERUN_FULL.identifiers, ...changes };
  return signalsOf(answerTo(200, { ...MOBILERUN_FULL, identifiers }));
};

t.test('tells identifiers that no phone of a maker has', async (t) => {
  t.equal(factsOf({ IdentifierIMEI: '001010123456787' })['imei_tac_reserved'], true);
  t.notOk('imei_tac_reserved' in factsOf({ IdentifierIMEI: '00101' }));
  for (const meid of ['a10000009296f2', '268435459907001234', '99000012345678'])
    t.equal(factsOf({ IdentifierMEID: meid })['meid_well_formed'], true, meid);
  for (const meid of ['910000009296f2', 'a10000009296f', 'a10000009296f2x'])
    t.equal(factsOf({ IdentifierMEID: meid })['meid_well_formed'], false, meid);
  t.notOk('meid_well_formed' in factsOf({ IdentifierMEID: ' ' }));
  t.match(factsOf({ IdentifierIMSI: '00101000000001' }), { imsi_well_formed: true, imsi_mcc: 1 });
  const short = factsOf({ IdentifierIMSI: '5050100' });
  t.equal(short['imsi_well_formed'], false);
  t.notOk('imsi_mcc' in short);
  t.equal(factsOf({ IdentifierWifiMAC: '01-00-5E-00-00-01' })['wifi_mac_multicast'], true);
  t.notOk('bluetooth_mac_multicast' in factsOf({ IdentifierBluetoothMAC: 'none' }));
});

t.test('compares an IMSI with the SIM in every way that lost zeros can be read', async (t) => {
  const matches = (imsi: string, numeric: number) => {
    const identifiers = { ...MOBILERUN_FULL.identifiers, IdentifierIMSI: imsi };
    const carrier = { ...MOBILERUN_FULL.carrier, GsmSimOperatorNumeric: numeric };
    return signalsOf(answerTo(200, { ...MOBILERUN_FULL, identifiers, carrier }))['imsi_matches_sim_operator'];
  };
  t.equal(matches('001010000000001', 101), true, '001 01');
  t.equal(matches('001001000000001', 1001), true, '001 001');
  t.equal(matches('310260000000001', 310_260), true);
  t.equal(matches('262010000000001', 26_202), false);
  t.equal(matches('101010000000001', 101), false);
});

t.test('names identifiers that repeat each other, and defaults', async (t) => {
  const { repeated_identifiers, default_identifiers } = factsOf({
    IdentifierSerial: 'unknown',
    IdentifierAndroidID: '9774D56D682E549C',
    IdentifierIMEI: '000000000000000',
    IdentifierIMSI: '310260000000000',
    IdentifierPhoneNumber: '+1 555-521-5554',
    IdentifierWifiMAC: '02:00:00:00:00:00',
    IdentifierBluetoothMAC: '02-00-00-00-00-00',
  });
  t.same(repeated_identifiers, ['wifi_mac', 'bluetooth_mac']);
  t.same(default_identifiers, ['serial', 'android_id', 'imei', 'imsi', 'phone', 'wifi_mac', 'bluetooth_mac']);
  const usual = factsOf({
    SerialNumber: 'CANARY-SERIAL-1',
    IdentifierGAID: '00000000-0000-0000-0000-000000000000',
  });
  t.match(
    usual,
    { repeated_identifiers: [], default_identifiers: [] },
    'one serial number, and no advertising id',
  );
});

t.test('calls a 200 malformed unless it fits', async (t) => {
  const { IdentifierIMEI: _imei, ...fewer } = MOBILERUN_FULL.identifiers;
  const misfits = [
    { ...MOBILERUN_FULL, carrier: undefined },
    { ...MOBILERUN_FULL, identifiers: fewer },
    { ...MOBILERUN_FULL, model: null },
    { ...MOBILERUN_FULL, carrier: { ...MOBILERUN_FULL.carrier, GsmOperatorNumeric: '50501' } },
    { title: 'Not Found', detail: 'device not found' },
    [],
  ];
  for (const misfit of misfits) t.equal(summarise(answerTo(200, misfit)), 'malformed schema');
  const problem = { title: 'Not Found', status: 404, detail: 'device not found' };
  t.equal(summarise(answerTo(200, problem)), 'malformed contradiction');
  t.equal(summarise(answerTo(200, '{')), 'malformed not_json');
  t.equal(summarise(answerTo(200, MOBILERUN_FULL, { 'content-type': 'text/plain' })), 'malformed not_json');
  t.equal(summarise(answerTo(206, MOBILERUN_FULL)), 'malformed http_206');
});

t.test('keeps a request id that is fit for a log', async (t) => {
  const withId = (id: string) => answerTo(200, MOBILERUN_FULL, { 'x-request-id': id }).upstreamRequestId;
  t.equal(withId('req-1'), 'req-1');
  t.equal(withId('a b'), null);
  t.equal(withId('a'.repeat(129)), null);
});
