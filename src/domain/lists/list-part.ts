/**
 * The parts of a decision that a list can name. Those of the first line are in the request, those of the
 * second in evidence.
 */
export const LIST_PARTS = [
  ...(['device', 'account', 'telemetry', 'ip'] as const),
  ...(['visitor', 'asn', 'country'] as const),
] as const;

/** One of them. */
export type ListPart = (typeof LIST_PARTS)[number];
