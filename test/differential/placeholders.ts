/**
 * Names in place of what may differ between two runs or two versions without a meaning: hashes, ids and
 * cursors. Each is numbered by its first appearance in a group, so that what was equal or different still is.
 */
export interface Placeholders {
  replace(text: string): string;
}

/** Of the text of a policy, comments included. */
const POLICY = 'sha256:(?<policy>[0-9a-f]{64})';
/** A keyed hash has 32 digits. */
const HASH = '(?<hash>(?<![0-9a-f-])[0-9a-f]{32}(?![0-9a-f]))';
const ID = '(?<id>01980000-0000-7000-8000-[0-9]{12})';
const MEMBER = '"(?<member>hash_key|next_cursor)":"(?<value>[^"]*)"';

/** Builds names for one group. */
export function createPlaceholders(): Placeholders {
  const pattern = new RegExp(`${POLICY}|${HASH}|${ID}|${MEMBER}`, 'g');
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  const nameOf = (kind: string, found: string): string => {
    const known = names.get(found);
    if (known !== undefined) return known;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    const name = `<${kind} ${count}>`;
    names.set(found, name);
    return name;
  };
  return {
    replace: (text) =>
      text.replace(pattern, (found, ...matched: readonly unknown[]) => {
        const { policy, hash, member, value } = matched.at(-1) as Readonly<
          Record<string, string | undefined>
        >;
        if (member !== undefined && value !== undefined) return `"${member}":"${nameOf(member, value)}"`;
        if (policy !== undefined) return `sha256:${nameOf('policy', policy)}`;
        return nameOf(hash === undefined ? 'id' : 'hash', found);
      }),
  };
}
