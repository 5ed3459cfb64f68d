import { EXAMPLE_ID } from '../definition.ts';

const SEEN = {
  at: 1_700_000_000.5,
  remote_ip: '192.0.2.10',
  user_agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36',
  asn: 64496,
  country_code: 'AU',
  region_code: 'VIC',
  lat_long: [-37.81, 144.96],
  ja4_fingerprint: 'q13d0314h3_55b375c5d22e_61e396c58b1f',
  timezone: 'Etc/UTC',
};

/** A device with every member that is read. */
export const EXAMPLE = {
  status: 'success',
  summary: {
    id: EXAMPLE_ID,
    status: 'active',
    session_type: 'browser',
    type: 'device',
    account_id: 'example-account',
    domain_id: 'example-domain',
    pool_id: 'example-pool',
    dynamic_client_details: { auth_profile: 'openid', pkce_required: true },
    first_seen: { ...SEEN, at: 1_600_000_000 },
    last_seen: SEEN,
  },
};
