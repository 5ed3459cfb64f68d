import { type CliCommand, type CliReport, EXIT_CODES } from '../command.ts';
import { ENGINE_OPTION, findEngineOf, toFailure } from '../history/engine-option.ts';
import { EXPORT_FORM } from '../history/no-export.ts';
import type { BadLine } from '../history/spool-records.ts';

/** Puts decisions of files into a log. */
export const historyImport: CliCommand = {
  name: 'history import',
  summary: 'Put decisions of files into a log',
  details:
    'Files are NDJSON as `history export` and the sink `file` write it, plain or compressed by gzip or zstd. All lines are checked first: where one is bad, nothing is imported. Each id is imported once, so that the same command may be given again. The records stand behind those that are there, and are kept from now on. A service that has the files of `sqlite` has to be stopped first.',
  arguments: [{ name: 'files', description: 'in the order in which they were written', isMany: true }],
  options: [
    { flags: '--skip-bad', description: 'import the good lines of files that have bad ones; still exit 1' },
    ENGINE_OPTION,
  ],
  examples: [
    'riskgate history import decisions.ndjson.zst',
    'riskgate history import --json decisions-*.ndjson.gz',
  ],
  exits: { 1: 'bad lines, or ids that are there with another record' },
  run: async ({ args, options }, context) => {
    const { requireLasting } = await import('../history/target-engine.ts');
    const engine = requireLasting(await findEngineOf(context, options['engine']));
    const { readFileLines } = await import('../history/read-lines.ts');
    const { spoolRecords } = await import('../history/spool-records.ts');
    const { copyHistory, reportCopy } = await import('../history/copy-history.ts');
    const signal = context.interruption();
    try {
      const files = args.map((name) => ({ name, lines: readFileLines(name) }));
      const records = await spoolRecords(files);
      try {
        const { badLines, badCount } = records;
        if (badCount > 0 && (records.count === 0 || options['skipBad'] !== true))
          return toBadReport(badLines, badCount, records.count);
        const copied = await copyHistory(engine, { pages: records.pages(), policies: null }, signal);
        const left = badCount === 0 ? [] : [{ reason: 'bad lines', count: badCount }];
        return withBadLines(reportCopy(engine, copied, left), badLines);
      } finally {
        await records.close();
      }
    } catch (error) {
      throw toFailure(error);
    }
  },
};

function toBadReport(badLines: readonly BadLine[], badCount: number, goodCount: number): CliReport {
  return {
    exitCode: EXIT_CODES.findings,
    lines: [
      ...badLines.map(toText),
      goodCount === 0
        ? `No line is a record: nothing is imported. An export is ${EXPORT_FORM}.`
        : `${badCount} bad lines and ${goodCount} good ones: nothing is imported. --skip-bad imports the good ones.`,
    ],
    json: { read: goodCount, added: 0, bad: badCount, bad_lines: badLines },
  };
}

function withBadLines({ lines, json, ...report }: CliReport, badLines: readonly BadLine[]): CliReport {
  return {
    ...report,
    lines: [...badLines.map(toText), ...lines],
    json: { ...Object(json), bad_lines: badLines },
  };
}

function toText({ file, line, problem }: BadLine): string {
  return `${file}:${line}: ${problem}`;
}
