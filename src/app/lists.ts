import type { KnownPolicies } from '../application/decision-log/known-policies.ts';
import type { RecordEvent } from '../application/decision-log/record-event.ts';
import type { FactSource } from '../application/facts/fact-source.ts';
import { type ChangeLists, createChangeLists } from '../application/lists/change-lists.ts';
import { createListFacts } from '../application/lists/list-facts.ts';
import type { ListStore } from '../application/lists/list-store.ts';
import type { ListHashes } from '../application/lists/list-values.ts';
import { sweepLists } from '../application/lists/sweep-lists.ts';
import { ListTable } from '../domain/lists/list-table.ts';
import type { ListDependencies } from '../http/routes/lists.ts';
import { createKeyedHash, keyIdOf } from '../platform/keyed-hash.ts';
import { toRfc3339 } from '../platform/rfc3339.ts';
import { openFileListStore } from '../stores/lists/file-store.ts';
import { createMemoryListStore } from '../stores/lists/memory-store.ts';
import { createRedisListStore, type RedisListEvent } from '../stores/lists/redis-store.ts';
import type { AppContext } from './context.ts';
import { fileBesideHistory } from './file-beside-history.ts';
import type { IdHashes } from './id-hashes.ts';
import { openRedis } from './open-redis.ts';
import type { RedisInUse } from './redis.ts';

/** Purpose of the hashes in provider signals; see provider-slots.ts. */
const SIGNALS_PURPOSE = 'identifier';
/** Budget of commands that read many entries: decisions never wait for them. */
const BUDGET_MS = 2_000;

/** What is kept as lists are. */
interface Kept {
  /** What its events begin with in the log. */
  readonly name: 'lists' | 'shared_signals';
  readonly keys: 'lists' | 'sharedSignals';
  /** Without Redis; null keeps it in this process alone. */
  readonly path: string | null;
}

/** Opens what keeps lists. */
export function openLists(context: AppContext, inUse: RedisInUse): Promise<ListStore> {
  const path = context.config.listsFile ?? fileBesideHistory(context, 'lists.journal');
  return openKept(context, inUse, { name: 'lists', keys: 'lists', path });
}

/** Opens what keeps shared signals: the same, at a place of its own. */
export function openSharedSignals(context: AppContext, inUse: RedisInUse): Promise<ListStore> {
  const path = fileBesideHistory(context, 'shared-signals.journal');
  return openKept(context, inUse, { name: 'shared_signals', keys: 'sharedSignals', path });
}

/** Redis, else a file, else this process alone, which is told. */
async function openKept(context: AppContext, inUse: RedisInUse, kept: Kept): Promise<ListStore> {
  const { config, logger, clock } = context;
  const table = new ListTable(new Set(config.idHashKeys.map(keyIdOf)));
  const store = await openStore(context, inUse, table, kept);
  await store.ready();
  const stopSweeping = sweepLists({ store, clock });
  if (inUse.target === null && kept.path === null)
    logger.warn(
      { event: `${kept.name}.not_kept` },
      'what is kept in this process alone is forgotten by a restart',
    );
  return {
    ...bind(store),
    close: async () => {
      stopSweeping();
      await store.close();
    },
  };
}

async function openStore(
  context: AppContext,
  inUse: RedisInUse,
  table: ListTable,
  { name, keys, path }: Kept,
): Promise<ListStore> {
  const { logger, clock } = context;
  if (inUse.target !== null) {
    const redis = openRedis({
      target: inUse.target,
      name: `riskgate-${name.replace('_', '-')}`,
      budgetMs: BUDGET_MS,
      logger,
      eventPrefix: `${name}.redis_`,
      onRefused: inUse.recheck,
    });
    inUse.watch(() => redis.health());
    const store = createRedisListStore({
      redis,
      keys: redis.keys[keys],
      clock,
      table,
      onEvent: (event) => report(name, event, context),
    });
    return {
      ...bind(store),
      close: async () => {
        await store.close();
        await redis.close();
      },
    };
  }
  if (path === null) return createMemoryListStore(table);
  return openFileListStore({
    path,
    table,
    onEvent: ({ kind, ...fields }) => {
      const line = { event: `${name}.file_${kind}`, ...fields };
      if (kind === 'failed') logger.error(line, 'a file cannot be written');
      else if (kind === 'repaired') logger.warn(line, 'a change that was not written to its end was cut off');
      else logger.info(line);
    },
  });
}

function report(name: Kept['name'], { kind, ...fields }: RedisListEvent, { logger }: AppContext): void {
  const line = { event: `${name}.${kind}`, ...fields };
  if (kind === 'lost') logger.error(line, 'Redis has lost entries: what is known here is written back');
  else if (kind === 'stale') logger.warn(line, 'changes of other replicas cannot be heard');
  else logger.info(line);
}

/** The methods of a store as an object's own. */
function bind(store: ListStore): ListStore {
  return {
    table: store.table,
    commit: (entries) => store.commit(entries),
    commitIfLater: (entries) => store.commitIfLater(entries),
    drop: (entries) => store.drop(entries),
    knowledge: () => store.knowledge(),
    isTrusted: () => store.isTrusted(),
    ready: () => store.ready(),
    close: () => store.close(),
  };
}

interface ListParts {
  readonly lists: ListStore;
  readonly hashes: IdHashes;
  readonly policies: KnownPolicies;
  /** Null records nothing. */
  readonly recordEvent: RecordEvent | null;
}

/** What decisions read of lists, and what the routes use that show and change them. */
export function wireLists(
  context: AppContext,
  { lists: store, hashes, policies, recordEvent }: ListParts,
): ListDependencies & { readonly facts: FactSource } {
  const lists = () => policies.current().document.lists;
  return {
    store,
    lists,
    clock: context.clock,
    change: createChange(context, { store, lists, hashes, recordEvent }),
    facts: createListFacts({ store, hashes: hashes.records }),
  };
}

interface ChangeParts extends Pick<ListParts, 'hashes' | 'recordEvent'> {
  readonly store: ListStore;
  readonly lists: () => readonly string[];
}

function createChange(
  { config, clock, logger }: AppContext,
  { store, lists, hashes, recordEvent }: ChangeParts,
): ChangeLists {
  const [inForce, ...others] = hashes.records.map((under, place): ListHashes => {
    const visitor = createKeyedHash(config.idHashKeys[place] ?? '', SIGNALS_PURPOSE);
    return { ...under, visitor };
  });
  if (inForce === undefined) throw new Error('there is no hash key');
  return createChangeLists({
    store,
    lists,
    hashes: [inForce, ...others],
    clock,
    formatTime: toRfc3339,
    record: recordEvent,
    onChange: (change) => logger.info({ event: 'lists.changed', ...change }, 'a list was changed'),
    entriesMax: config.listsEntriesMax,
  });
}
