import { type CliCommand, EXIT_CODES } from '../command.ts';
import { ENGINE_OPTION, findEngineOf, toFailure } from '../history/engine-option.ts';
import { readSpan, SPAN_OPTIONS } from '../history/span-options.ts';

const FORMATS = ['ndjson', 'csv', 'parquet'] as const;

/** Takes decisions out of a log. */
export const historyExport: CliCommand = {
  name: 'history export',
  summary: 'Write the decisions of a log to a file',
  details:
    'Newest first, with gaps and events among them, as GET /v1/decisions/export does. No service is needed, and none is disturbed: the files of `sqlite` are read beside it. A file gets its name when it is whole.',
  options: [
    { flags: '--format <format>', description: 'ndjson (whole records), csv or parquet', choices: FORMATS },
    ...SPAN_OPTIONS,
    { flags: '--out <file>', description: 'where to write to; standard output otherwise' },
    ENGINE_OPTION,
  ],
  examples: [
    'riskgate history export --format parquet --since 2026-03-01T00:00:00Z --out march.parquet',
    'riskgate history export | zstd > decisions.ndjson.zst',
  ],
  run: async ({ options }, context) => {
    const { format = 'ndjson', out } = options;
    const filter = readSpan(options);
    const engine = await findEngineOf(context, options['engine']);
    const { exportHistory } = await import('../history/export-history.ts');
    const form = FORMATS.find((one) => one === format) ?? 'ndjson';
    try {
      const counts = await exportHistory(
        engine,
        { ...filter, form, path: typeof out === 'string' ? out : null },
        context,
      );
      const to = typeof out === 'string' ? out : 'standard output';
      return {
        exitCode: EXIT_CODES.ok,
        lines: [`${counts.decisions} decisions, ${counts.gaps} gaps and ${counts.events} events to ${to}.`],
        json: { engine: engine.definition.id, format: form, ...counts, out: out ?? null },
        hasData: typeof out !== 'string',
      };
    } catch (error) {
      throw toFailure(error);
    }
  },
};
