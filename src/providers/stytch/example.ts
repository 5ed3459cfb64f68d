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
    verdict_reason_overrides: [{ verdict_reason: 'EXAMPLE' }],
  },
  properties: {
    network_properties: {
      asn: { asn: '64496' },
      ip_geolocation: { region: 'example', country: 'AU' },
      is_proxy: false,
      is_vpn: false,
    },
  },
};
