import { type CliCommand, EXIT_CODES } from '../command.ts';
import { ENGINE_OPTION, findEngineOf } from '../history/engine-option.ts';

/** Looks for what is wrong with the files of a history. */
export const historyVerify: CliCommand = {
  name: 'history verify',
  summary: 'Look for damage in the files of a history',
  details:
    'Of every file its structure, every record, every label and every text of a policy; then whether what is searched and counted (entries, hashes of subjects, shapes, evidence, columns, counts) is what the records say, by writing them again to a temporary file beside and comparing the two. Takes about 0.1 ms of CPU a record and the space of one file. A service may write meanwhile. A damaged file: see docs/history.md.',
  options: [{ flags: '--quick', description: 'compare no index: only read everything' }, ENGINE_OPTION],
  exits: { 0: 'nothing is wrong', 1: 'something is; each line names its file' },
  run: async ({ options }, context) => {
    const engine = await findEngineOf(context, options['engine']);
    const { readFiles, upkeepOf } = await import('../history/upkeep-of.ts');
    const isQuick = options['quick'] === true;
    const upkeep = await upkeepOf(engine);
    const files = await readFiles(upkeep.verify(engine.settings, isQuick), context.interruption());
    const findings = files.flatMap(({ file, problems }) => problems.map((problem) => ({ file, problem })));
    const records = files.reduce((sum, { records }) => sum + records, 0);
    return {
      exitCode: findings.length === 0 ? EXIT_CODES.ok : EXIT_CODES.findings,
      lines: [
        ...findings.map(({ file, problem }) => `${file}: ${problem}`),
        `${files.length} files with ${records} records: ${findings.length} findings.`,
      ],
      json: {
        ok: findings.length === 0,
        records,
        findings,
        files: files.map(({ file, records: count, bytes }) => ({ file, records: count, bytes })),
      },
    };
  },
};
