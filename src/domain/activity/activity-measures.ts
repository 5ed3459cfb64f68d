/** What is counted of decisions. */
export const DECISION_MEASURES = ['decisions', 'blocks', 'challenges', 'not_found'] as const;

/** What is counted of what decisions turned out to be. */
export const LABEL_MEASURES = ['challenges_failed', 'fraud_labels'] as const;

/** What stands against them: labels that were taken back, counted when they had been given. */
export const WITHDRAWN_MEASURES = {
  challenges_failed: 'challenges_failed_withdrawn',
  fraud_labels: 'fraud_labels_withdrawn',
} as const satisfies Record<(typeof LABEL_MEASURES)[number], string>;

/** The events that every policy knows. */
export const COMMON_EVENTS = [
  'login_failed',
  'login_succeeded',
  'credential_changed',
  'account_created',
  'payment',
] as const;

/** The numbers by which they are stored: a place in this list never changes. */
const NUMBERED: readonly string[] = [
  ...DECISION_MEASURES,
  ...LABEL_MEASURES,
  ...COMMON_EVENTS,
  ...Object.values(WITHDRAWN_MEASURES),
];

/** Numbers from here to the highest of 16 bits are those of events with names of the operator's own. */
const OWN_NUMBERS_FROM = 256;
const OWN_NUMBERS = 65_536 - OWN_NUMBERS_FROM;

/**
 * The number by which a measure is stored. That of an event with a name of the operator's own follows from its
 * name, so that it is the same under every policy; two names may have one number.
 */
export function measureNumber(name: string): number {
  const place = NUMBERED.indexOf(name);
  return place === -1 ? OWN_NUMBERS_FROM + (hashOf(name) % OWN_NUMBERS) : place;
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let place = 0; place < text.length; place += 1)
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193) >>> 0;
  return hash;
}
