import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openFileListStore } from '../../src/stores/lists/file-store.ts';
import { createMemoryListStore } from '../../src/stores/lists/memory-store.ts';
import { openTestRedisLists } from '../stores/lists/open-redis-lists.ts';
import { startRedisSentinels, toSentinelTarget } from '../support/redis-sentinels.ts';
import { startRedisServer } from '../support/redis-server.ts';
import type { AnyTarget } from '../support/redis-target.ts';
import { createDirectory } from '../support/test-app.ts';
import { createListTable, type ListStoreTwin, testListStore } from './list-store.ts';

let openings = 0;

const memory: ListStoreTwin = {
  id: 'memory',
  isShared: false,
  open: async () => createMemoryListStore(createListTable()),
};

let directory = '';
const openFile = async (t: Test) => {
  const path = join(directory, 'lists.journal');
  const store = await openFileListStore({ path, table: createListTable(), onEvent: () => {} });
  t.teardown(() => store.close());
  return store;
};
const file: ListStoreTwin = {
  id: 'file',
  isShared: false,
  open: (t) => {
    directory = createDirectory(t);
    return openFile(t);
  },
  openAgain: openFile,
};

/** Each opening gets a key prefix of its own. */
function toTwin(id: string, toTarget: (keyPrefix: string) => AnyTarget): ListStoreTwin {
  const open = async (t: Test) => (await openTestRedisLists(t, toTarget(`test-${openings}`))).store;
  return {
    id,
    isShared: true,
    open: (t) => {
      openings += 1;
      return open(t);
    },
    openAgain: open,
  };
}

const server = await startRedisServer(t);
const sentinels = await startRedisSentinels(t);
const twins = [
  memory,
  file,
  toTwin('redis', (keyPrefix) => ({ url: server.url, keyPrefix })),
  toTwin('sentinel', (keyPrefix) => ({ target: toSentinelTarget(sentinels, keyPrefix) })),
];
const looped: string[] = [];
for (const twin of twins) {
  looped.push(twin.id);
  t.test(`the ${twin.id} store keeps the contract of lists`, async (t) => testListStore(t, twin));
}
t.same(looped, ['memory', 'file', 'redis', 'sentinel'], 'the suite looped over all stores');
