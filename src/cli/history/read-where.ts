import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { backtestWhereSchema } from '../../http/schemas/backtests.ts';
import { toRecordFilter } from '../../http/schemas/decision-filter.ts';
import { CommandFailure, EXIT_CODES } from '../command.ts';

/** Identifiers, which a command has no key to hash with. */
const IDENTIFIERS = ['device_id', 'telemetry_id', 'account_id'];
/** Identifiers unless they are given as hashes. */
const EITHER = ['ip', 'subject'];

/**
 * The filter in `caller=shop&action=login`: the names and values of GET /v1/decisions. Throws a `CommandFailure` of
 * wrong usage.
 */
export function readWhere(text: string | boolean | undefined): RecordFilter {
  if (typeof text !== 'string') return {};
  const pairs = [...new URLSearchParams(text)];
  for (const [place, [name, value]] of pairs.entries()) {
    if (pairs.findIndex(([other]) => other === name) !== place) throw refused(`${name} is given twice`);
    if (IDENTIFIERS.includes(name) || (EITHER.includes(name) && !value.startsWith('#')))
      throw refused(`${name} takes the hash that records have, after a #`);
  }
  const read = backtestWhereSchema.safeParse(Object.fromEntries(pairs));
  const [issue] = read.error?.issues ?? [];
  if (!read.success) throw refused(`${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim());
  try {
    return toRecordFilter(read.data, []);
  } catch (error) {
    throw error instanceof RiskgateError ? refused(error.message) : error;
  }
}

function refused(what: string): CommandFailure {
  return new CommandFailure('usage', `--where: ${what}`, EXIT_CODES.usage);
}
