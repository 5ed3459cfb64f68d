import type { CompiledPolicy } from '../policy/compile.ts';
import type { JudgedCase } from './judge-cases.ts';

/** A line of a diff: what was expected, what came, or what explains it. */
export interface DiffLine {
  readonly sign: '-' | '+' | ' ';
  readonly text: string;
}

/** Where a case failed, as a diff of decision and reasons, with what the rules behind it came to. */
export function describeFailure(
  policy: CompiledPolicy,
  { case: { expected }, judgement, differences }: JudgedCase,
): readonly DiffLine[] {
  const lines = differences
    .filter(({ field }) => field !== 'reasons')
    .flatMap(({ field, expected: was, actual }): DiffLine[] => [
      { sign: '-', text: `${field}: ${was}` },
      { sign: '+', text: `${field}: ${actual}` },
    ]);
  const isReasonWrong = differences.some(({ field }) => field === 'reasons');
  if (!isReasonWrong) {
    // Why it is decided so, where that was not what the case is about.
    const because = judgement.reasons.map(({ code, rule }) => ({
      sign: ' ' as const,
      text: `  ${code} (${describeRule(rule, judgement)})`,
    }));
    return because.length === 0 ? lines : [...lines, { sign: ' ', text: 'reasons:' }, ...because];
  }
  const wanted = expected.reasons ?? [];
  const reasons = diffLists(
    wanted,
    judgement.reasons.map(({ code }) => code),
  ).map(({ sign, text, place }): DiffLine => {
    const rule = judgement.reasons[place]?.rule;
    const why = sign === '-' ? describeAbsent(text, policy, judgement) : describeRule(rule ?? '', judgement);
    return { sign, text: `  ${text} (${why})` };
  });
  return [...lines, { sign: ' ', text: 'reasons:' }, ...reasons];
}

function describeRule(id: string, { trace }: JudgedCase['judgement']): string {
  const line = trace.find(({ rule }) => rule === id);
  return `${id} is ${line?.result ?? 'unknown'}${line?.why === undefined ? '' : `: ${line.why}`}`;
}

/** What the rules with a reason that did not come came to. */
function describeAbsent(code: string, { rules }: CompiledPolicy, judgement: JudgedCase['judgement']): string {
  const own = rules.filter(({ source }) => source.reason === code);
  return own.map(({ source }) => describeRule(source.id, judgement)).join('; ');
}

interface ListLine extends DiffLine {
  /** The place in the second list; of the next one for what only the first has. */
  readonly place: number;
}

/** The fewest lines that make the second list of the first: by their longest common part. */
function diffLists(first: readonly string[], second: readonly string[]): readonly ListLine[] {
  const common = first.map(() => second.map(() => 0));
  const lengthAt = (left: number, right: number) => common[left]?.[right] ?? 0;
  for (let left = first.length - 1; left >= 0; left -= 1)
    for (let right = second.length - 1; right >= 0; right -= 1) {
      const row = common[left] ?? [];
      row[right] =
        first[left] === second[right]
          ? lengthAt(left + 1, right + 1) + 1
          : Math.max(lengthAt(left + 1, right), lengthAt(left, right + 1));
    }
  const lines: ListLine[] = [];
  let [left, right] = [0, 0];
  while (left < first.length || right < second.length) {
    const [was, is] = [first[left], second[right]];
    if (was !== undefined && was === is) {
      lines.push({ sign: ' ', text: was, place: right });
      left += 1;
      right += 1;
    } else if (
      was !== undefined &&
      (is === undefined || lengthAt(left + 1, right) >= lengthAt(left, right + 1))
    ) {
      lines.push({ sign: '-', text: was, place: right });
      left += 1;
    } else {
      lines.push({ sign: '+', text: is ?? '', place: right });
      right += 1;
    }
  }
  return lines;
}
