import { REDIS_SETTINGS } from './redis-settings.ts';

type Name = keyof typeof REDIS_SETTINGS;

const TOPOLOGIES = ['url', 'sentinels', 'nodes'] as const;
const OF_URL = ['username', 'password', 'database', 'isTls'] as const;
const OF_SENTINELS = ['masterName', 'sentinelUsername', 'sentinelPassword'] as const;
const OF_TLS = ['caFile', 'certFile', 'keyFile', 'serverName'] as const;
const REST = [...OF_URL, ...OF_SENTINELS, ...OF_TLS] as const;

/**
 * One line for each Redis variable that does not go with the others. `has` says whether a variable is set,
 * right or wrong; `hasTls` whether TLS is asked for.
 */
export function findRedisMistakes(has: (name: Name) => boolean, hasTls: boolean): readonly string[] {
  const chosen = TOPOLOGIES.filter(has);
  const [topology] = chosen;
  if (topology === undefined) {
    return REST.filter(has).map((name) => `${env(name)} needs ${TOPOLOGIES.map(env).join(' or ')}`);
  }
  if (chosen.length > 1) return [`${chosen.map(env).join(' and ')} exclude each other: set one of them`];
  const misplaced =
    topology === 'url' ? OF_URL.filter(has).map((name) => `${env(name)} belongs into REDIS_URL`) : [];
  return [
    ...misplaced,
    ...(topology === 'nodes' && has('database')
      ? ['REDIS_DB does not go with a cluster, which has one']
      : []),
    ...findSentinelMistakes(has, topology === 'sentinels'),
    ...findPairMistakes(has, topology === 'url'),
    ...(hasTls ? [] : OF_TLS.filter(has).map((name) => `${env(name)} needs TLS: rediss:// or REDIS_TLS=on`)),
  ];
}

function findSentinelMistakes(has: (name: Name) => boolean, isSentinel: boolean): readonly string[] {
  if (!isSentinel) return OF_SENTINELS.filter(has).map((name) => `${env(name)} needs REDIS_SENTINELS`);
  return has('masterName') ? [] : [`REDIS_MASTER is missing: ${REDIS_SETTINGS.masterName.description}`];
}

/** What is nothing without the other. */
function findPairMistakes(has: (name: Name) => boolean, isUrl: boolean): readonly string[] {
  const pairs: readonly (readonly [Name, Name])[] = [
    ...(isUrl ? [] : [['username', 'password'] as const]),
    ['sentinelUsername', 'sentinelPassword'],
    ['certFile', 'keyFile'],
    ['keyFile', 'certFile'],
  ];
  return pairs
    .filter(([name, other]) => has(name) && !has(other))
    .map(([name, other]) => `${env(name)} needs ${env(other)}`);
}

function env(name: Name): string {
  return REDIS_SETTINGS[name].env;
}
