import { type CliOption, CommandFailure, EXIT_CODES } from '../command.ts';

/** Which decisions of a log are meant, by their time. */
export const SPAN_OPTIONS: readonly CliOption[] = [
  { flags: '--since <time>', description: 'decided then or later, RFC 3339' },
  { flags: '--until <time>', description: 'decided before, RFC 3339' },
];

/** A span as records have their times; what is not given is not bounded. */
interface Span {
  readonly since: string | undefined;
  readonly until: string | undefined;
}

/** The span of these options. Throws a `CommandFailure` of wrong usage. */
export function readSpan(options: Readonly<Record<string, string | boolean | undefined>>): Span {
  return { since: toTime('--since', options['since']), until: toTime('--until', options['until']) };
}

function toTime(option: string, text: string | boolean | undefined): string | undefined {
  if (typeof text !== 'string') return undefined;
  const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/.test(text);
  const ms = isTime ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw new CommandFailure(
      'usage',
      `${option} is an RFC 3339 time: 2026-03-01T00:00:00Z`,
      EXIT_CODES.usage,
    );
  return new Date(ms).toISOString();
}
