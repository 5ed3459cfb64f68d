import type { CompiledPolicy } from '../domain/policy/compile.ts';
import type { FileStatus } from '../platform/reloadable-file.ts';
import type { ProviderDefinition } from '../providers/definition.ts';
import { readPolicy } from './check-file.ts';
import { compileLater, type FollowOptions, follow } from './follow-file.ts';

/** The candidates in files, each following its file. */
interface FollowedCandidates {
  /** Those that can be used; the same array until one of them changes. */
  candidates(): readonly CompiledPolicy[];
  /** The path of the file with this policy; null where it is in none. */
  fileOf(hash: string): string | null;
  /** Of all files together; null without any. */
  status(): FileStatus | null;
  close(): void;
}

/**
 * Follows these files. One that cannot be used is told, also at first, and is no candidate until it can: a policy
 * that answers nothing keeps nobody from an answer.
 */
export function followCandidates(options: FollowOptions, paths: readonly string[]): FollowedCandidates {
  const { providers } = options;
  const files = paths.map((path) =>
    follow<'policy', CompiledPolicy | null>(options, {
      kind: 'policy',
      path,
      loadFirst: () => readPolicy(path, providers),
      startsWith: null,
      eventPrefix: 'policy_candidate',
      build: (checked) => compileLater(checked, providers),
      describe: (policy) => ({ policy: policy?.id, hash: policy?.hash }),
    }),
  );
  let last: readonly CompiledPolicy[] = [];
  return {
    candidates: () => {
      const present = files.map((file) => file.current()).filter((policy) => policy !== null);
      const isSame =
        present.length === last.length && present.every((policy, place) => policy === last[place]);
      if (!isSame) last = present;
      return last;
    },
    fileOf: (hash) => paths[files.findIndex((file) => file.current()?.hash === hash)] ?? null,
    status: () => (files.length === 0 ? null : toOne(files.map((file) => file.status()))),
    close: () => {
      for (const file of files) file.close();
    },
  };
}

/** What is wrong with one of these files; the service starts all the same. */
export function checkCandidates(
  paths: readonly string[],
  providers: readonly ProviderDefinition[],
): readonly string[] {
  return paths.flatMap((path) => {
    const result = readPolicy(path, providers);
    return result.ok ? [] : result.mistakes;
  });
}

/** Worst of all: the metrics of files have one series for each kind. */
function toOne(statuses: readonly FileStatus[]): FileStatus {
  const refused = statuses.map(({ refusedAtMs }) => refusedAtMs).filter((atMs) => atMs !== null);
  return {
    isCurrent: statuses.every(({ isCurrent }) => isCurrent),
    loadedAtMs: Math.min(...statuses.map(({ loadedAtMs }) => loadedAtMs)),
    refusedAtMs: refused.length === 0 ? null : Math.max(...refused),
  };
}
