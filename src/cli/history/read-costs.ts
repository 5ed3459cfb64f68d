import type { CostMatrix } from '../../domain/backtest/to-report.ts';
import { plainIssue } from '../../domain/policy/plain-issue.ts';
import { costMatrixSchema } from '../../http/schemas/backtests.ts';
import { parseYaml } from '../../platform/yaml-document.ts';
import { CommandFailure, EXIT_CODES } from '../command.ts';
import { readFile } from '../policy/open-policy.ts';

const BYTES_MAX = 65_536;

/** The cost matrix in a file; null without one. Throws a `CommandFailure` where it is none. */
export function readCosts(path: string | boolean | undefined): CostMatrix | null {
  if (typeof path !== 'string') return null;
  const document = parseYaml(readFile(path, BYTES_MAX));
  const parsed = costMatrixSchema.safeParse(document.value);
  if (parsed.success && document.mistakes.length === 0) return parsed.data;
  const issues = parsed.error?.issues ?? [];
  const wrong = issues.map((issue) => `${issue.path.join('.')}: ${plainIssue(issue, document.value)}`);
  const mistakes = document.mistakes.length > 0 ? document.mistakes : wrong;
  throw new CommandFailure(
    'bad_costs',
    mistakes.map((mistake) => `${path}:${mistake}`).join('\n'),
    EXIT_CODES.usage,
  );
}
