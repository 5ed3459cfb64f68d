import type { ReferenceData } from '../domain/contradictions/reference-data.ts';
import { toUserAgentNames } from '../providers/prefactor/user-agent.ts';

/** What contradictions know of the world beside evidence. */
export function createReferenceData(): ReferenceData {
  return {
    countriesOfTimeZone: () => null,
    countriesOfMcc: () => null,
    userAgentOf: (text) => toUserAgentNames(text) ?? null,
    placeOfAddress: () => null,
  };
}
