import type { SubjectRef } from './address.ts';
import { shortHash } from './format.ts';
import { Link } from './link.tsx';
import { PART_NAMES } from './part-names.ts';

interface HashLinksProperties {
  readonly part: SubjectRef['part'];
  readonly hashes: readonly string[];
  /** False within what moves the focus by itself: there the tabulator does not stop at them. */
  readonly isTabStop?: boolean;
}

/** Keyed hashes, each a link to all that is known of the subject. */
export function HashLinks({ part, hashes, isTabStop = true }: HashLinksProperties) {
  if (hashes.length === 0) return <span class="not-given">not given</span>;
  return (
    <>
      {hashes.map((hash) => (
        <Link
          key={hash}
          class="hash"
          to={{ view: 'subject', subject: { part, hash }, decisionId: null }}
          title={`All that is known of the ${PART_NAMES[part].toLowerCase()} #${hash}`}
          tabIndex={isTabStop ? 0 : -1}
        >
          #{shortHash(hash)}
        </Link>
      ))}
    </>
  );
}
