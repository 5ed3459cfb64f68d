import type { CliCommand } from './command.ts';
import { analyze } from './commands/analyze.ts';
import { backtest } from './commands/backtest.ts';
import { candidate } from './commands/candidate.ts';
import { check } from './commands/check.ts';
import { configCheck } from './commands/config-check.ts';
import { configTable } from './commands/config-table.ts';
import { demo } from './commands/demo.ts';
import { diff } from './commands/diff.ts';
import { emulators } from './commands/emulators.ts';
import { explain } from './commands/explain.ts';
import { historyCompact } from './commands/history-compact.ts';
import { historyExport } from './commands/history-export.ts';
import { historyImport } from './commands/history-import.ts';
import { historyMigrate } from './commands/history-migrate.ts';
import { historyVerify } from './commands/history-verify.ts';
import { init } from './commands/init.ts';
import { keysHash } from './commands/keys-hash.ts';
import { keysNew } from './commands/keys-new.ts';
import { policiesList } from './commands/policies-list.ts';
import { policiesRelease } from './commands/policies-release.ts';
import { policiesRestore } from './commands/policies-restore.ts';
import { policiesShow } from './commands/policies-show.ts';
import { promote } from './commands/promote.ts';
import { replay } from './commands/replay.ts';
import { serve } from './commands/serve.ts';
import { test } from './commands/test.ts';

/** Every command, in the order in which help lists them. */
export const COMMANDS: readonly CliCommand[] = [
  init,
  serve,
  demo,
  emulators,
  check,
  test,
  analyze,
  diff,
  explain,
  replay,
  backtest,
  policiesList,
  policiesShow,
  policiesRestore,
  policiesRelease,
  candidate,
  promote,
  configCheck,
  configTable,
  keysNew,
  keysHash,
  historyExport,
  historyImport,
  historyMigrate,
  historyVerify,
  historyCompact,
];

/** What the first words of commands of two words are about. */
export const GROUPS: Readonly<Record<string, string>> = {
  config: 'The configuration of the service',
  history: 'The decisions that are kept: take them out, put them in, check them',
  keys: 'API keys',
  policies: 'The policies of a running service: those that were in force, and again',
};
