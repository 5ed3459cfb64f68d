import type { Engine } from '../../app/open-engine.ts';
import { type CopyCounts, createCopy, noCopies } from '../../application/decision-log/copy-records.ts';
import type { PolicyTexts } from '../../application/decision-log/policy-texts.ts';
import type { LabelledRecord } from '../../domain/decision-log/record-columns.ts';
import { type CliReport, CommandFailure, EXIT_CODES } from '../command.ts';

/** What is copied into an engine. */
export interface CopySource {
  /** In the order in which a log took them. */
  readonly pages: AsyncIterable<readonly LabelledRecord[]>;
  /** Of the policies of these records; null where the source has none. */
  readonly policies: Pick<PolicyTexts, 'find'> | null;
}

/** What was copied. */
interface Copied extends CopyCounts {
  /** Texts of policies. */
  readonly policies: number;
  /** Policies of decisions whose text the source does not have. */
  readonly policiesLeft: number;
  readonly isInterrupted: boolean;
}

/**
 * Copies records into an engine, each id once. What was copied before an interruption or a failure stays, and is
 * known the next time. Rejects where the engine cannot be opened, read or written.
 */
export async function copyHistory(engine: Engine, source: CopySource, signal: AbortSignal): Promise<Copied> {
  const counts = noCopies();
  const hashes = new Set<string>();
  const { sink, reader, policies, close } = await openToWrite(engine);
  try {
    if (reader === null)
      throw new CommandFailure('unreadable_engine', `"${engine.definition.id}" cannot be read`);
    const copy = createCopy({ sink, reader }, counts);
    for await (const page of source.pages) {
      if (signal.aborted) break;
      await copy(page);
      for (const { record } of page) if (record.kind === 'decision') hashes.add(record.policy.hash);
    }
    const kept = await copyPolicies(hashes, source.policies, policies);
    return { ...counts, policies: kept, policiesLeft: hashes.size - kept, isInterrupted: signal.aborted };
  } finally {
    await close();
  }
}

async function openToWrite(engine: Engine): ReturnType<Engine['open']> {
  try {
    return await engine.open();
  } catch (error) {
    throw new CommandFailure('cannot_open', error instanceof Error ? error.message : String(error));
  }
}

async function copyPolicies(
  hashes: ReadonlySet<string>,
  from: CopySource['policies'],
  to: PolicyTexts | null,
): Promise<number> {
  let kept = 0;
  for (const hash of hashes) {
    const text = (await from?.find(hash)) ?? null;
    if (text !== null && (await to?.keep(hash, text)) === true) kept += 1;
  }
  return kept;
}

/** The report of a copy; `left` are reasons why records never came so far. */
export function reportCopy(
  engine: Engine,
  copied: Copied,
  left: readonly { readonly reason: string; readonly count: number }[],
): CliReport {
  const { read, added, known, differing, labels, labelsLeft, policies, policiesLeft, isInterrupted } = copied;
  const outcomes: readonly (readonly [number, string])[] = [
    [added, 'added'],
    [known, 'were there already'],
    [differing, 'left out: their ids are there with another record, which stays'],
    ...left.map(({ reason, count }) => [count, `left out: ${reason}`] as const),
    [labels, 'labels added'],
    [labelsLeft, 'labels left out: their decision is not there, or has no room for more'],
    [policies, 'texts of policies added'],
    [policiesLeft, 'policies without their text, which the source does not have'],
  ];
  const isWhole =
    differing === 0 && labelsLeft === 0 && left.every(({ count }) => count === 0) && !isInterrupted;
  return {
    exitCode: isInterrupted ? EXIT_CODES.failure : isWhole ? EXIT_CODES.ok : EXIT_CODES.findings,
    lines: [
      `${read} records into ${engine.definition.id}:`,
      ...outcomes.filter(([count]) => count > 0).map(([count, what]) => `  ${count} ${what}`),
      ...(isInterrupted ? ['Interrupted. The same command goes on where it stopped.'] : []),
    ],
    json: {
      engine: engine.definition.id,
      read,
      added,
      known,
      differing,
      labels,
      labels_left: labelsLeft,
      policies,
      policies_left: policiesLeft,
      left,
      interrupted: isInterrupted,
    },
  };
}
