import { type CliCommand, EXIT_CODES } from '../command.ts';
import { ENGINE_OPTION, findEngineOf } from '../history/engine-option.ts';

const MIB = 1024 * 1024;

/** Makes the files of a history smaller. */
export const historyCompact: CliCommand = {
  name: 'history compact',
  summary: 'Make the files of earlier days smaller',
  details:
    'Each file but the newest is written again from its records, and packed, which gains about 5 %. A file is replaced when the new one is whole, on the disk, and holds the same; one that would not become smaller, or in which something is wrong, stays. The service has to be stopped. Killed at any moment, every file is the old or the new one.',
  options: [ENGINE_OPTION],
  exits: { 1: 'a file is damaged, and stays as it is' },
  run: async ({ options }, context) => {
    const engine = await findEngineOf(context, options['engine']);
    const { readFiles, upkeepOf } = await import('../history/upkeep-of.ts');
    const upkeep = await upkeepOf(engine);
    const files = await readFiles(upkeep.compact(engine.settings), context.interruption());
    const sum = (pick: (file: (typeof files)[number]) => number) =>
      files.reduce((total, file) => total + pick(file), 0);
    const [before, after] = [sum(({ bytesBefore }) => bytesBefore), sum(({ bytesAfter }) => bytesAfter)];
    const findings = files.flatMap(({ file, problem }) => (problem === null ? [] : [{ file, problem }]));
    return {
      exitCode: findings.length === 0 ? EXIT_CODES.ok : EXIT_CODES.findings,
      lines: [
        ...findings.map(({ file, problem }) => `${file}: stays as it is: ${problem}`),
        `${files.length} files: ${toMib(before)} before, ${toMib(after)} now.`,
      ],
      json: {
        bytes_before: before,
        bytes_after: after,
        findings,
        files: files.map(({ file, bytesBefore, bytesAfter }) => ({
          file,
          bytes_before: bytesBefore,
          bytes_after: bytesAfter,
        })),
      },
    };
  },
};

function toMib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
