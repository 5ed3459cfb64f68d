import { CLOCK } from './clock.ts';
import type { Contradiction } from './contradiction.ts';
import { IDENTITY_REUSE } from './identity-reuse.ts';
import { SEEN_ELSEWHERE } from './seen-elsewhere.ts';
import { TRAVEL } from './travel.ts';

/** Every contradiction, the strongest first. */
export const CONTRADICTIONS: readonly Contradiction[] = [IDENTITY_REUSE, TRAVEL, SEEN_ELSEWHERE, CLOCK];
