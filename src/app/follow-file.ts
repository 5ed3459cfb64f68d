import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { type CompiledPolicy, compileInSteps } from '../domain/policy/compile.ts';
import { isLoopback } from '../platform/exposure.ts';
import { compileLinearPattern } from '../platform/linear-pattern.ts';
import { followFile, type ReloadableFile } from '../platform/reloadable-file.ts';
import type { Result } from '../platform/result.ts';
import { runInPieces } from '../platform/run-in-pieces.ts';
import type { ProviderDefinition } from '../providers/definition.ts';
import { type CheckedFiles, checkFile, type FileKind } from './check-file.ts';
import { createFileChecker } from './file-checker.ts';
import { countriesOfTimeZone } from './time-zone-countries.ts';

/** Where the service listens, and whether it is a demo. */
export type Exposure = Pick<Config, 'host' | 'isInsecureAllowed'>;

/** Whether others can reach the service. */
export function isExposedBy({ host, isInsecureAllowed }: Exposure): boolean {
  return !isInsecureAllowed && !isLoopback(host);
}

/** What following files needs. */
export interface FollowOptions {
  readonly config: Exposure;
  readonly providers: readonly ProviderDefinition[];
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/** One file that is followed. */
interface FollowedKind<Kind extends FileKind, Value> {
  readonly kind: Kind;
  readonly path: string;
  readonly loadFirst: () => Result<Value>;
  /** Makes what is in force of what the worker has checked. */
  readonly build: (
    checked: CheckedFiles[Kind],
    previous: Value | null,
  ) => Result<Value> | Promise<Result<Value>>;
  /** What there is where the file cannot be used at first; without it that throws. */
  readonly startsWith?: Value;
  /** Begins the names of its log events; its kind otherwise. */
  readonly eventPrefix?: string;
  /** Told when what is in the file has changed and is taken. */
  readonly onReload?: (value: Value) => void;
  /** What the log says of it. */
  readonly describe: (value: Value) => object;
}

/** Loads a file and follows it; it is checked in a thread of its own. Throws when it cannot be used at first. */
export function follow<Kind extends FileKind, Value>(
  { config, providers, logger, nowMs }: FollowOptions,
  followed: FollowedKind<Kind, Value>,
): ReloadableFile<Value> {
  const { kind, path, loadFirst, build, describe, onReload, eventPrefix = kind } = followed;
  const checker = createFileChecker(providers.map(({ id }) => id));
  const file = followFile<Value>({
    path,
    loadFirst,
    load: async (previous) => {
      const checked = await checker.check({ kind, path, isExposed: isExposedBy(config) });
      return checked.ok ? build(checked.value, previous) : checked;
    },
    ...('startsWith' in followed && { startsWith: followed.startsWith }),
    onReload: (value) => {
      logger.info({ event: `${eventPrefix}.reloaded`, path, ...describe(value) }, 'a file was reloaded');
      onReload?.(value);
    },
    onRefused: (mistakes) =>
      logger.error(
        { event: `${eventPrefix}.refused`, path, mistakes },
        'a file is refused; the last good one stays, if there is one',
      ),
    nowMs,
  });
  return {
    ...file,
    close: () => {
      file.close();
      checker.close();
    },
  };
}

/** Follows a file whose plain data are nearly what is in force. */
export function followPlain<Kind extends FileKind, Value>(
  options: FollowOptions,
  file: Pick<FollowedKind<Kind, Value>, 'kind' | 'path' | 'describe'> & {
    readonly build: (checked: CheckedFiles[Kind], previous: Value | null) => Value;
  },
): ReloadableFile<Value> {
  const { kind, path } = file;
  const build = (checked: CheckedFiles[Kind], previous: Value | null): Result<Value> => ({
    ok: true,
    value: file.build(checked, previous),
  });
  const loadFirst = () => {
    const isExposed = isExposedBy(options.config);
    const checked = checkFile({ kind, path, isExposed }, options.providers);
    return checked.ok ? build(checked.value, null) : checked;
  };
  return follow(options, { ...file, loadFirst, build });
}

/**
 * Compiles what a worker has compiled before, so that there is nothing left to say where a mistake stands.
 */
export async function compileLater(
  { document, hash, text }: CheckedFiles['policy'],
  providers: readonly ProviderDefinition[],
): Promise<Result<CompiledPolicy>> {
  const steps = compileInSteps(document, {
    providers,
    hash,
    text,
    compilePattern: compileLinearPattern,
    countriesOfTimeZone,
  });
  const result = await runInPieces(steps);
  return result.ok ? result : { ok: false, mistakes: result.mistakes.map(({ message }) => message) };
}
