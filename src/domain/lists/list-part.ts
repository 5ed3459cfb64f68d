/** The parts that evidence tells. */
export const EVIDENCE_PARTS = ['visitor', 'asn', 'country'] as const;

/** The parts of a decision that a list can name. Those of the first line are in the request. */
export const LIST_PARTS = [
  ...(['device', 'account', 'telemetry', 'ip'] as const),
  ...EVIDENCE_PARTS,
] as const;

/** One of them. */
export type ListPart = (typeof LIST_PARTS)[number];
