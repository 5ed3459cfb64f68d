import { shortPolicyHash } from '../policy-markers.ts';

/** A policy, told apart from others of its id by the beginning of its hash. */
export function PolicyName({ id, hash }: { readonly id: string; readonly hash: string }) {
  return (
    <span class="policy-name" title={hash}>
      {id} <code>{shortPolicyHash(hash)}</code>
    </span>
  );
}
