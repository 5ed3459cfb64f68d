/**
 * What happens to promotions. `refused`: the candidate has not shown enough. `share`: it answers a share of accounts.
 * `promoted`: it is in force. `aborted`: the share was taken back. `rolled_back`: the policy before it is in force
 * again. `watch_ended`: it was watched, and stays.
 */
export const PROMOTION_CHANGES = [
  'refused',
  'share',
  'promoted',
  'aborted',
  'rolled_back',
  'watch_ended',
] as const;

/** One of them. */
export type PromotionChange = (typeof PROMOTION_CHANGES)[number];
