import type { ProviderDefinition } from '../../src/providers/definition.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { accountScore, addressScore } from '../support/scores/index.ts';
import { MOBILERUN_FULL, PREFACTOR_FULL, SCORE_FULL, STYTCH_FULL } from './payloads.ts';

/** What the suites over every provider need of one. */
interface ProviderSample {
  /** What the full answer is about. */
  readonly id: string;
  /** A success with everything in it. */
  readonly full: object;
  /** The vendor's own 404 about an unknown id. */
  readonly unknown: object;
  /** What an error has and a success has not. */
  readonly error: object;
  /** Names of the full answer that decide, by the path that leads to them. */
  readonly read: readonly string[];
  /** Every text in the full answer that must not be found in signals. */
  readonly canaries: readonly string[];
}

const SCORE: ProviderSample = {
  id: SCORE_FULL.about,
  full: SCORE_FULL,
  unknown: { error: 'not_found' },
  error: { error: 'not_found' },
  read: ['about', 'score'],
  canaries: ['203.0.113', 'canary'],
};

const SAMPLES: Readonly<Record<string, ProviderSample>> = {
  stytch: {
    id: STYTCH_FULL.telemetry_id,
    full: STYTCH_FULL,
    unknown: { status_code: 404, request_id: 'r', error_type: 'telemetry_id_not_found', error_message: 'm' },
    error: { error_type: 'internal_server_error' },
    read: [
      'telemetry_id',
      'expires_at',
      'verdict',
      'verdict.action',
      'verdict.reasons',
      'verdict.is_authentic_device',
      'properties.network_properties.is_vpn',
    ],
    canaries: [
      ...Object.values(STYTCH_FULL.fingerprints),
      STYTCH_FULL.telemetry_id,
      '203.0.113.77',
      'canary',
    ],
  },
  mobilerun: {
    id: 'device-1',
    full: MOBILERUN_FULL,
    unknown: { title: 'Not Found', status: 404, detail: 'device not found' },
    error: { title: 'Not Found', detail: 'device not found' },
    read: ['identifiers', 'identifiers.IdentifierIMEI', 'carrier.GsmSimOperatorIsoCountry', 'model.brand'],
    canaries: [...Object.values(MOBILERUN_FULL.identifiers), 'canary', 'CANARY'],
  },
  prefactor: {
    id: PREFACTOR_FULL.summary.id,
    full: PREFACTOR_FULL,
    unknown: { status: 'error', code: 'not_found', message: 'm' },
    error: { code: 'not_found' },
    read: ['status', 'summary', 'summary.id', 'summary.status', 'summary.last_seen.at'],
    canaries: ['203.0.113', 'canary', 'Canary', '013xrzp12g3nqk8n', 'Mozilla', 'client_secret'],
  },
  address_score: SCORE,
  account_score: SCORE,
};

/** Those of the service, and of tests: one that is asked about addresses, and one about accounts. */
export const TESTED_PROVIDERS: readonly ProviderDefinition[] = [...PROVIDERS, addressScore, accountScore];

/** The sample of a provider. Throws where there is none, so that no suite passes one over. */
export function sampleOf({ id }: ProviderDefinition): ProviderSample {
  const sample = SAMPLES[id];
  if (sample === undefined) throw new Error(`Add a sample of ${id} to test/providers/samples.ts.`);
  return sample;
}
