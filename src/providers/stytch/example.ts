import { EXAMPLE_ID } from '../definition.ts';

/** A lookup with every member that is read. */
export const EXAMPLE = {
  telemetry_id: EXAMPLE_ID,
  request_id: 'request-example',
  status_code: 200,
  created_at: '2023-11-14T22:13:20Z',
  expires_at: '2023-11-14T22:18:20Z',
  fingerprints: {
    visitor_id: 'example-1',
    browser_id: 'example-2',
    visitor_fingerprint: 'example-3',
    browser_fingerprint: 'example-4',
    hardware_fingerprint: 'example-5',
    network_fingerprint: 'example-6',
  },
  verdict: {
    action: 'ALLOW',
    is_authentic_device: true,
    detected_device_type: 'LINUX X86_64',
    reasons: ['EXAMPLE'],
    rule_match_type: 'VISITOR_ID',
    rule_match_identifier: 'example-1',
    verdict_reason_overrides: [{ verdict_reason: 'EXAMPLE', override_action: 'ALLOW' }],
  },
  properties: {
    network_properties: {
      ip_address: '192.0.2.10',
      asn: { asn: '64496', name: 'EXAMPLE-NET', network: '192.0.2.0/24' },
      ip_geolocation: { city: 'example', region: 'example', country: 'AU' },
      is_proxy: false,
      is_vpn: false,
    },
    browser_properties: { user_agent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36' },
  },
};
