/** The sample of the deprecated GET lookup, as the Stytch API reference shows it; the reasons are ours. */
export const STYTCH_GET_SAMPLE = {
  created_at: '2023-01-01T00:00:00Z',
  expires_at: '2033-01-01T00:00:00Z',
  fingerprints: {
    browser_fingerprint: 'browser-fingerprint-0b535ab5-ecff-4bc9-b845-48bf90098945',
    browser_id: 'browser-id-99cffb93-6378-48a5-aa90-d680232a7979',
    hardware_fingerprint: 'hardware-fingerprint-4af7a05d-cf77-4ff7-834f-0622452bb092',
    network_fingerprint: 'network-fingerprint-b5060259-40e6-3f29-8215-45ae2da3caa1',
    visitor_fingerprint: 'visitor-fingerprint-6ecf5792-1157-41ad-9ad6-052d31160cee',
    visitor_id: 'visitor-6139cbcc-4dda-4b1f-b1c0-13c08ec64d72',
  },
  status_code: 200,
  telemetry_id: '026ac93b-8cdf-4fcb-bfa6-36a31cfecac1',
  verdict: {
    action: 'ALLOW',
    detected_device_type: 'MACOS',
    is_authentic_device: true,
    reasons: ['VIRTUAL_MACHINE'],
    rule_match_type: '',
    rule_match_identifier: '',
  },
};

/** A POST lookup with everything the vendor documents. */
export const STYTCH_FULL = {
  ...STYTCH_GET_SAMPLE,
  request_id: 'request-id-test-b05c992f-ebdc-489d-a754-c7e70ba13141',
  external_metadata: { external_id: 'canary-account', user_action: 'login' },
  verdict: {
    ...STYTCH_GET_SAMPLE.verdict,
    action: 'BLOCK',
    reasons: ['RULE_MATCH', 'KNOWN_DATACENTER_IP'],
    rule_match_type: 'VISITOR_ID',
    rule_match_identifier: 'canary-rule-visitor',
    verdict_reason_overrides: [{ verdict_reason: 'VIRTUAL_MACHINE', override_action: 'ALLOW' }],
  },
  properties: {
    network_properties: {
      ip_address: '203.0.113.77',
      asn: { asn: '4764', name: 'Example Networks', network: '203.0.113.0/24' },
      ip_geolocation: { city: 'Melbourne', region: 'Victoria', country: 'AU' },
      is_proxy: true,
      is_vpn: false,
    },
    browser_properties: { user_agent: 'canary-agent/1.0 ' },
  },
  raw_signals: { screen: 'canary-raw' },
};

/** A full fingerprint of a phone. */
export const MOBILERUN_FULL = {
  $schema: 'https://example.com/schemas/FingerprintResult.json',
  model: {
    aospVersion: '14',
    brand: 'google',
    device: 'shiba',
    hardware: 'zuma',
    imageRepository: 'example/aosp',
    manufacturer: 'Google',
    model: 'Pixel 8',
  },
  display: { width: 1080, height: 2400, densityDpi: 420 },
  identifiers: {
    BootloaderSerialNumber: 'CANARY-BOOT-1',
    IdentifierAndroidID: 'canaryandroid0001',
    IdentifierAppSetID: 'canary-appset',
    IdentifierBluetoothMAC: '00:1A:7D:DA:71:13',
    IdentifierGAID: 'canary-gaid',
    IdentifierGSFID: 'canary-gsf',
    IdentifierICCID: '8961010000000000001',
    IdentifierIMEI: '490154203237518',
    IdentifierIMSI: '505010000000001',
    IdentifierMEID: 'A0000000000001',
    IdentifierMediaDRMID: 'canary-drm',
    IdentifierPhoneNumber: '+61491570006',
    IdentifierSerial: 'CANARY-SERIAL-1',
    IdentifierWifiMAC: '02:00:5e:00:53:01',
    SerialNumber: 'CANARY-SERIAL-2',
  },
  carrier: {
    GsmOperatorAlpha: 'Example Mobile',
    GsmOperatorNumeric: 50501,
    GsmSimOperatorAlpha: 'Example SIM',
    GsmSimOperatorIsoCountry: 'au',
    GsmSimOperatorNumeric: 50501,
    PersistSysTimezone: 'Australia/Melbourne',
  },
};

const CHROME_ON_MAC =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/91.0.4472.114 Safari/537.36';

/** The first interaction of the sample in the Prefactor API reference. */
export const PREFACTOR_INTERACTION = {
  asn: 4764,
  at: 1234567890.75,
  city: 'Canaryville',
  country_code: 'AU',
  ja4_fingerprint: 'q13d0314h3_55b375c5d22e_61e396c58b1f',
  lat_long: [-37.8159, 144.9669],
  region_code: 'VIC',
  remote_ip: '203.0.113.77',
  timezone: 'Australia/Melbourne',
  user_agent: CHROME_ON_MAC,
};

/** A full device: everything the vendor documents, with a move from Melbourne to Berlin. */
export const PREFACTOR_FULL = {
  status: 'success',
  summary: {
    account_id: '013xrzp12g3nqk8n505tp6wqnscpdy8q',
    domain_id: '013xrzp12g3nqk8nz2ccx5vt2j6f6hjz',
    dynamic_client_details: {
      auth_profile: 'openid',
      client_secret: 'canary-client-secret',
      pkce_required: true,
      redirect_uris: ['https://canary.example/callback'],
      title: 'canary client title',
    },
    first_seen: PREFACTOR_INTERACTION,
    id: '013xrzp12g3nqk8nyvk0xwzcb2gzp8z1',
    last_seen: {
      ...PREFACTOR_INTERACTION,
      asn: 3320,
      at: 1767225000,
      country_code: 'DE',
      lat_long: [52.52, 13.405],
      remote_ip: '203.0.113.78',
      user_agent: 'canary-agent (canary) canaryfox/1.0 x',
    },
    pool_id: '013xrzp12g3nqk8n6z7f3q8wqgbmh3n9',
    session_type: 'browser',
    status: 'active',
    title: 'canary device title',
    type: 'device',
  },
};

/** An answer of the providers of tests. */
export const SCORE_FULL = { about: '203.0.113.77', score: 90, holder: 'canary' };
