import { CLOCK } from './clock.ts';
import type { Contradiction } from './contradiction.ts';
import { IDENTITY_REUSE } from './identity-reuse.ts';
import { IDENTITY_SHAPE } from './identity-shape.ts';
import { OS_FAMILY } from './os-family.ts';
import { SEEN_ELSEWHERE } from './seen-elsewhere.ts';
import { ROAMING, SIM_COUNTRY } from './sim-country.ts';
import { TIME_ZONE_COUNTRY } from './time-zone-country.ts';
import { TLS_CLIENT } from './tls-client.ts';
import { TRAVEL } from './travel.ts';

/** Every contradiction, the strongest first. */
export const CONTRADICTIONS: readonly Contradiction[] = [
  IDENTITY_REUSE,
  IDENTITY_SHAPE,
  TRAVEL,
  TLS_CLIENT,
  OS_FAMILY,
  SIM_COUNTRY,
  TIME_ZONE_COUNTRY,
  SEEN_ELSEWHERE,
  CLOCK,
  ROAMING,
];
