import type { ContradictionSituation, SituationInput } from './situation.ts';

type Row = readonly [string, SituationInput, ContradictionSituation['expect'], object?];

const toSituations = (id: string, rows: readonly Row[]): readonly ContradictionSituation[] =>
  rows.map(([title, input, expect, because = {}]) => ({ title, id, input, expect, because }));

const asks = (os: string, family = 'Chrome') => ({ userAgent: { family, os } });
const typed = (device_type: unknown) => ({ found: true, device_type });
const browser = (user_agent_os: unknown) => ({ found: true, last_seen: { user_agent_os } });
const PHONE = { found: true, supported: true };

const SYSTEMS = toSituations('os_family', [
  [
    'a Windows request from an Android fingerprint',
    { request: asks('Windows'), stytch: typed('ANDROID') },
    true,
    { request_user_agent: 'Windows', stytch_device_type: 'ANDROID' },
  ],
  ['Windows, as both name it', { request: asks('Windows'), stytch: typed('WINDOWS X86_64') }, false],
  ['macOS, as both name it', { request: asks('macOS'), stytch: typed('MACOS') }, false],
  ['an iPhone', { request: asks('iOS', 'Safari'), stytch: typed('IOS') }, false],
  ['an iPad that asks for desktop pages', { request: asks('macOS', 'Safari'), stytch: typed('IOS') }, false],
  ['a Mac that calls itself an iPhone', { request: asks('iOS', 'Safari'), stytch: typed('MACOS') }, true],
  ['an Android that asks for desktop pages', { request: asks('Linux'), stytch: typed('ANDROID') }, false],
  [
    'a Linux server that calls itself Android',
    { request: asks('Android'), stytch: typed('LINUX X86_64') },
    true,
  ],
  [
    'a Chromebook that is taken for Linux',
    { request: asks('Chrome OS'), stytch: typed('LINUX X86_64') },
    false,
  ],
  ['a Chromebook whose browser says Linux', { request: asks('Linux'), stytch: typed('CHROME OS') }, false],
  [
    'Windows beside a cloud phone',
    { request: asks('Windows'), mobilerun: PHONE },
    true,
    { request_user_agent: 'Windows', mobilerun: 'Android' },
  ],
  ['Android beside a cloud phone', { request: asks('Android'), mobilerun: PHONE }, false],
  ['an iPhone fingerprint beside a cloud phone', { stytch: typed('IOS'), mobilerun: PHONE }, true],
  [
    'a device that Prefactor saw on macOS, now on Windows',
    { request: asks('Windows'), prefactor: browser('macOS') },
    true,
    { prefactor_user_agent: 'macOS' },
  ],
  [
    'a device that Prefactor saw on the same',
    { request: asks('Windows'), prefactor: browser('Windows') },
    false,
  ],
  [
    'a device id that Mobilerun does not know',
    { request: asks('Windows'), mobilerun: { found: false, supported: false } },
    'none',
  ],
  ['a system of no name', { request: asks('Other', 'Other'), stytch: typed('ANDROID') }, 'none'],
  [
    'a Windows Phone, which is no Windows',
    { request: asks('Windows Phone'), stytch: typed('WINDOWS') },
    'none',
  ],
  ['a device type of a later year', { request: asks('Windows'), stytch: typed('FUCHSIA') }, 'none'],
  ['a device type that is a number', { request: asks('Windows'), stytch: typed(7) }, 'unknown'],
  ['only a request', { request: asks('Windows') }, 'none'],
  ['Stytch lost', { request: asks('Windows'), stytch: 'unknown' }, 'unknown'],
  ['Mobilerun lost', { request: asks('Windows'), mobilerun: 'unknown' }, 'unknown'],
  [
    'Stytch lost, and a contradiction between the others',
    { request: asks('Windows'), stytch: 'unknown', mobilerun: PHONE },
    true,
  ],
]);

const CIPHERS = '8daaf6152771';
const OTHER_CIPHERS = '55b375c5d22e';
const ja4 = (start: string, ciphers = CIPHERS) => `${start}_${ciphers}_02713d6af862`;
const CHROME = { user_agent_family: 'Chrome', user_agent_os: 'Windows', user_agent_major: 140 };
const client = (start: unknown, browser: object = CHROME) => ({
  found: true,
  last_seen: { ja4: typeof start === 'string' ? ja4(start) : start, ...browser },
});
const between = (first: object, last: object) => ({
  prefactor: { found: true, first_seen: { ...CHROME, ...first }, last_seen: { ...CHROME, ...last } },
});

const TLS_CLIENTS = toSituations('tls_client', [
  ['Chrome with TLS 1.3 and HTTP/2', { prefactor: client('t13d1516h2') }, false, { tls_version: '1.3' }],
  ['Chrome over QUIC', { prefactor: client('q13d0312h3') }, false, { transport: 'quic', alpn: 'h3' }],
  [
    'Chrome 140 with TLS 1.2',
    { prefactor: client('t12d1516h2') },
    true,
    { user_agent: 'Chrome', tls_version: '1.2' },
  ],
  ['Chrome without ALPN, as scripts are', { prefactor: client('t13d190900') }, true, { alpn: 'none' }],
  ['Chrome over QUIC without HTTP/3', { prefactor: client('q13d0312h2') }, true],
  ['a WebSocket of Chrome, by HTTP/1.1 alone', { prefactor: client('t13d1516h1') }, false],
  [
    'a browser of before TLS 1.3',
    { prefactor: client('t12d1516h2', { ...CHROME, user_agent_major: 60 }) },
    'none',
  ],
  [
    'Chrome on iOS, which has the TLS of the system',
    { prefactor: client('t12d1516h2', { ...CHROME, user_agent_os: 'iOS' }) },
    'none',
  ],
  [
    'Safari on iOS with TLS 1.2',
    {
      prefactor: client('t12d1516h2', {
        user_agent_family: 'Safari',
        user_agent_os: 'iOS',
        user_agent_major: 17,
      }),
    },
    true,
  ],
  [
    'Internet Explorer over QUIC',
    { prefactor: client('q13d0312h3', { user_agent_family: 'Internet Explorer', user_agent_os: 'Windows' }) },
    true,
  ],
  [
    'Internet Explorer over TCP',
    { prefactor: client('t12d1516h2', { user_agent_family: 'Internet Explorer', user_agent_os: 'Windows' }) },
    false,
  ],
  [
    'a browser of no name',
    { prefactor: client('t12d1516h2', { user_agent_family: 'Other', user_agent_os: 'Other' }) },
    'none',
  ],
  [
    'a browser without a version',
    { prefactor: client('t12d1516h2', { ...CHROME, user_agent_major: undefined }) },
    'none',
  ],
  [
    'a version that is a text',
    { prefactor: client('t12d1516h2', { ...CHROME, user_agent_major: '140' }) },
    'unknown',
  ],
  ['a fingerprint of another form', { prefactor: client('t13') }, 'unknown'],
  ['a fingerprint that is a number', { prefactor: client(13) }, 'unknown'],
  ['no fingerprint', { prefactor: { found: true, last_seen: CHROME } }, 'none'],
  ['no User-Agent', { prefactor: client('t12d1516h2', {}) }, 'none'],
  ['Prefactor lost', { prefactor: 'unknown' }, 'unknown'],
  [
    'other ciphers under the same browser',
    between({ ja4: ja4('t13d1516h2') }, { ja4: ja4('t13d1516h2', OTHER_CIPHERS) }),
    true,
    { first_seen_ciphers: CIPHERS, last_seen_ciphers: OTHER_CIPHERS },
  ],
  ['a session that was resumed', between({ ja4: ja4('t13d1516h2') }, { ja4: ja4('t13d1517h2') }), false],
  [
    'QUIC after TCP has other ciphers',
    between({ ja4: ja4('t13d1516h2') }, { ja4: ja4('q13d0312h3', OTHER_CIPHERS) }),
    false,
  ],
  [
    'an update may have other ciphers',
    between({ ja4: ja4('t13d1516h2'), user_agent_major: 139 }, { ja4: ja4('t13d1516h2', OTHER_CIPHERS) }),
    false,
  ],
  [
    'a change of a browser without a version',
    between(
      { ja4: ja4('t13d1516h2'), user_agent_major: undefined },
      { ja4: ja4('t13d1516h2', OTHER_CIPHERS), user_agent_major: undefined },
    ),
    'none',
  ],
  ['DTLS, which no page is fetched by', { prefactor: client('dd3d1516h2') }, true, { transport: 'dtls' }],
]);

const REAL_PHONE = {
  ...PHONE,
  imei_luhn_valid: true,
  imei_tac_reserved: false,
  meid_well_formed: true,
  imsi_well_formed: true,
  imsi_mcc: 262,
  imsi_matches_sim_operator: true,
  wifi_mac_locally_administered: true,
  wifi_mac_multicast: false,
  bluetooth_mac_multicast: false,
  bluetooth_mac_locally_administered: false,
  repeated_identifiers: [],
  default_identifiers: [],
};
const phone = (faults: object) => ({ mobilerun: { ...REAL_PHONE, ...faults } });

const SHAPES = toSituations('identity_shape', [
  ['a phone as it left its maker, with a random Wi-Fi MAC', phone({}), false],
  ['an IMEI without its check digit', phone({ imei_luhn_valid: false }), true, { imei_luhn_valid: false }],
  ['an IMEI of test equipment', phone({ imei_tac_reserved: true }), true, { imei_tac_reserved: true }],
  ['an MEID of another length', phone({ meid_well_formed: false }), true],
  ['an IMSI of another length', phone({ imsi_well_formed: false }), true],
  ['an IMSI of another operator than its SIM', phone({ imsi_matches_sim_operator: false }), true],
  ['an IMSI of a test network', phone({ imsi_mcc: 1 }), true, { imsi_mcc: 1 }],
  ['a Wi-Fi MAC of a group', phone({ wifi_mac_multicast: true }), true],
  ['a Bluetooth MAC of a group', phone({ bluetooth_mac_multicast: true }), true],
  ['a Bluetooth MAC of software', phone({ bluetooth_mac_locally_administered: true }), true],
  [
    'one value for the IMEI and the serial number',
    phone({ repeated_identifiers: ['serial', 'imei'] }),
    true,
    { repeated_identifiers: ['serial', 'imei'] },
  ],
  ['the Android id of an emulator', phone({ default_identifiers: ['android_id'] }), true],
  [
    'a tablet without a SIM or an IMEI',
    { mobilerun: { ...PHONE, repeated_identifiers: [], default_identifiers: [] } },
    false,
  ],
  ['a device without a fingerprint', { mobilerun: { found: true, supported: false } }, 'none'],
  ['Mobilerun skipped', {}, 'none'],
  ['Mobilerun lost', { mobilerun: 'unknown' }, 'unknown'],
  ['a flag that is a text', phone({ imei_luhn_valid: 'no' }), 'unknown'],
  ['a list that is a text', phone({ default_identifiers: 'imei' }), 'unknown'],
  ['a list of numbers', phone({ default_identifiers: [7] }), 'unknown'],
  ['one fact lost, another that no phone has', phone({ imei_luhn_valid: 7, imsi_mcc: 1 }), true],
]);

/** Situations of contradictions about browsers, their systems, and phones. */
export const CLIENT_SITUATIONS = [...SYSTEMS, ...TLS_CLIENTS, ...SHAPES];
