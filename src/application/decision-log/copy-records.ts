import { idOf } from '../../domain/decision-log/decision-record.ts';
import type { LabelledRecord } from '../../domain/decision-log/record-columns.ts';
import { RiskgateError } from '../../domain/errors.ts';
import type { DecisionLogReader, DecisionSink } from './decision-log.ts';

/** A log that records are copied into. */
interface CopyTarget {
  readonly sink: Pick<DecisionSink, 'append'>;
  readonly reader: Pick<DecisionLogReader, 'find' | 'query' | 'label'>;
}

/** What became of the records that were copied. */
export interface CopyCounts {
  /** Records that came. */
  read: number;
  added: number;
  /** Records that were there already, the same. */
  known: number;
  /** Ids that were there with another record, which stays. */
  differing: number;
  /** Labels that were added, also to records that were there. */
  labels: number;
  /** Labels that a decision had no room for. */
  labelsLeft: number;
}

/** Before any record. */
export function noCopies(): CopyCounts {
  return { read: 0, added: 0, known: 0, differing: 0, labels: 0, labelsLeft: 0 };
}

/** A batch whose fate is not known is appended again so many times. */
const ATTEMPTS = 3;
/** Records that are looked for at a time: a log refuses readers that want more of it. */
const LOOKED_FOR = 4;

/**
 * Builds what copies pages of records into a log, in their order, each id once, also where it was begun before:
 * ids that are there are left as they are. It adds to `counts` what has been kept, page by page. Rejects with
 * `store_unavailable` where the log cannot be read or takes no records.
 */
export function createCopy(
  { sink, reader }: CopyTarget,
  counts: CopyCounts,
): (page: readonly LabelledRecord[]) => Promise<void> {
  let batches = 0;
  const append = async (page: readonly LabelledRecord[]): Promise<void> => {
    batches += 1;
    const batch = { number: batches, records: page.map(({ record }) => record) };
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) if (await sink.append(batch)) return;
    throw new RiskgateError('store_unavailable', 'The log does not take records.');
  };
  const label = async ({ record, labels }: LabelledRecord): Promise<void> => {
    for (const one of labels) {
      const { kind } = await reader.label(idOf(record), one, true);
      if (kind === 'recorded') counts.labels += 1;
      if (kind === 'full' || kind === 'unknown_decision') counts.labelsLeft += 1;
    }
  };
  return async (page) => {
    const found = await lookUp(page, (record) => stateOf(record, reader));
    const seen = new Set<string>();
    const fresh = page.filter(({ record }, place) => {
      const isFirst = !seen.has(idOf(record));
      seen.add(idOf(record));
      return found[place] === 'absent' && isFirst;
    });
    if (fresh.length > 0) await append(fresh);
    counts.read += page.length;
    counts.added += fresh.length;
    counts.differing += found.filter((state) => state === 'differing').length;
    counts.known += page.length - fresh.length - found.filter((state) => state === 'differing').length;
    for (const line of page) await label(line);
  };
}

/** The state of each record of a page, in its order. */
async function lookUp(
  page: readonly LabelledRecord[],
  find: (record: LabelledRecord['record']) => Promise<State>,
): Promise<readonly State[]> {
  const states: State[] = [];
  // Each takes the next of the same lines.
  const lines = page.entries();
  const run = async (): Promise<void> => {
    for (const [place, { record }] of lines) states[place] = await find(record);
  };
  await Promise.all(Array.from({ length: LOOKED_FOR }, run));
  return states;
}

type State = 'absent' | 'same' | 'differing';

async function stateOf(record: LabelledRecord['record'], reader: CopyTarget['reader']): Promise<State> {
  const there =
    record.kind === 'decision'
      ? await findDecision(record.decision_id, reader)
      : await findOther(record, reader);
  if (there === null) return 'absent';
  return areSame(there, record) ? 'same' : 'differing';
}

async function findDecision(id: string, reader: CopyTarget['reader']): Promise<object | null> {
  return (await reader.find(id))?.record ?? null;
}

/** Gaps and events are found by their time. */
async function findOther(
  record: Exclude<LabelledRecord['record'], { kind: 'decision' }>,
  reader: CopyTarget['reader'],
): Promise<object | null> {
  const at = record.kind === 'gap' ? record.from : record.at;
  const until = new Date(Date.parse(at) + 1).toISOString();
  const filter = { since: at, until, includesGaps: true, includesEvents: true };
  let before: string | null = null;
  do {
    const page: Awaited<ReturnType<DecisionLogReader['query']>> = await reader.query(filter, {
      before,
      limit: 100,
    });
    const found = page.entries.find((entry) => idOf(entry.record) === idOf(record));
    if (found !== undefined) return found.record;
    before = page.next;
  } while (before !== null);
  return null;
}

/** By their JSON, whatever the order of names in it. */
function areSame(left: unknown, right: unknown): boolean {
  return toPlain(left) === toPlain(right);
}

function toPlain(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
