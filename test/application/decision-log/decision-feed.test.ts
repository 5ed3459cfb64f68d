import t from 'tap';
import {
  createDecisionFeed,
  type DecisionFeed,
  type FeedListener,
} from '../../../src/application/decision-log/decision-feed.ts';
import type {
  DecisionLogReader,
  LogEntry,
  LogPosition,
} from '../../../src/application/decision-log/decision-log.ts';
import { idOf } from '../../../src/domain/decision-log/decision-record.ts';
import { RiskgateError } from '../../../src/domain/errors.ts';
import { createMemoryDecisionLog } from '../../../src/stores/decision-log/memory/decision-log.ts';
import { createDecisionRecord } from '../../support/decision-records.ts';
import { createManualClock, until } from '../../support/test-app.ts';

function open(
  changes: (log: DecisionLogReader) => Partial<DecisionLogReader> = () => ({}),
  recordsMax = 10_000,
) {
  const clock = createManualClock();
  const log = createMemoryDecisionLog({ clock, recordsMax, countsKeptMs: 3_600_000 });
  const reader = { ...log, ...changes(log) };
  const feed = createDecisionFeed({ reader, catchUp: reader, clock });
  let serial = 0;
  const append = (count: number): string[] => {
    const records = Array.from({ length: count }, () => {
      serial += 1;
      return createDecisionRecord(clock.nowMs(), serial);
    });
    log.append({ number: serial, records });
    return records.map(({ decision_id: id }) => id);
  };
  return { clock, log, feed, append };
}

function createListener(hasRoom: () => Promise<boolean> = async () => true) {
  const ids: string[] = [];
  const positions: LogPosition[] = [];
  const told = { gaps: 0, lost: 0 };
  const listener: FeedListener = {
    onEntries: (entries: readonly LogEntry[]) => {
      ids.push(...entries.map(({ record }) => idOf(record)));
      positions.push(...entries.map(({ position }) => position));
    },
    onGap: () => {
      told.gaps += 1;
    },
    onLost: () => {
      told.lost += 1;
    },
    hasRoom,
  };
  return { listener, ids, positions, told };
}

t.test('hands new entries to all that listen, reading them once', async (t) => {
  let reads = 0;
  const { log, feed, append } = open((inner) => ({
    readAfter: (position, limit) => {
      reads += 1;
      return inner.readAfter(position, limit);
    },
  }));
  append(3);
  const listeners = Array.from({ length: 50 }, () => createListener());
  const followers = [];
  for (const { listener } of listeners) followers.push(await feed.follow(null, listener));
  const ids = append(250);
  await until('all have them', () => listeners.every((one) => one.ids.length === 250));
  for (const one of listeners) t.same(one.ids, ids);
  t.ok(reads <= 10, `${reads} reads`);
  t.equal(followers[0]?.position(), await log.newest());
  for (const follower of followers) {
    follower.leave();
    follower.leave();
  }
  const readsBefore = reads;
  append(5);
  await new Promise((resolve) => setTimeout(resolve, 60));
  t.equal(reads, readsBefore, 'nobody listens, and nothing is read');
  const again = createListener();
  const follower = await feed.follow(null, again.listener);
  const later = append(1);
  await until('it has the later one', () => again.ids.length > 0);
  t.same(again.ids, later);
  follower.leave();
});

t.test('begins in an empty log', async (t) => {
  const { feed, append } = open();
  const one = createListener();
  const follower = await feed.follow(null, one.listener);
  t.equal(follower.position(), null);
  const ids = append(2);
  await until('it has both', () => one.ids.length === 2);
  t.same(one.ids, ids);
  follower.leave();
});

t.test('catches up as fast as the listener reads, and joins without a gap', async (t) => {
  const { log, feed, append } = open();
  append(1);
  const from = await log.newest();
  const ids = append(1000);
  const witness = createListener();
  const first = await feed.follow(null, witness.listener);
  let asked = 0;
  const one = createListener(async () => {
    asked += 1;
    ids.push(...append(30));
    await new Promise((resolve) => setImmediate(resolve));
    return true;
  });
  const follower = await feed.follow(from, one.listener);
  t.equal(one.ids.length, 100, 'the first part is there at once');
  t.not(follower.position(), await log.newest());
  await until('it has caught up', () => one.ids.length >= 1000 && one.ids.length === ids.length);
  ids.push(...append(40));
  await until(
    'both have all',
    () => one.ids.length === ids.length && witness.ids.length === ids.length - 1000,
  );
  t.same(one.ids, ids);
  t.same(one.positions, one.positions.toSorted());
  t.ok(asked > 5);
  first.leave();
  follower.leave();
});

t.test('leaves a listener that has no room, or that goes while it catches up', async (t) => {
  const { feed, log, append } = open();
  append(1);
  const from = await log.newest();
  append(500);
  const full = createListener(async () => false);
  const follower = await feed.follow(from, full.listener);
  follower.leave();
  const gate = Promise.withResolvers<boolean>();
  const gone = createListener(() => gate.promise);
  const leaving = await feed.follow(from, gone.listener);
  leaving.leave();
  gate.resolve(true);
  await new Promise((resolve) => setImmediate(resolve));
  t.same([full.ids.length, gone.ids.length], [100, 100]);
});

t.test('says so when entries are no longer kept', async (t) => {
  const { feed, log, append } = open(() => ({}), 50);
  append(1);
  const from = await log.newest();
  append(200);
  const late = createListener();
  const follower = await feed.follow(from, late.listener);
  t.same([late.told.gaps, late.ids.length], [1, 50]);
  const live = createListener();
  const second = await feed.follow(null, live.listener);
  append(100);
  await until('the feed itself was too slow', () => live.told.gaps === 1 && live.ids.length === 50);
  t.equal(late.told.gaps, 2);
  follower.leave();
  second.leave();
});

async function isRefused(feed: DecisionFeed): Promise<boolean> {
  try {
    (await feed.follow(null, createListener().listener)).leave();
    return false;
  } catch (error) {
    return error instanceof RiskgateError && error.code === 'store_unavailable';
  }
}

const lost = () => Promise.reject(new RiskgateError('store_unavailable', 'lost'));

t.test('refuses to follow what cannot be read', async (t) => {
  let isLost = true;
  const { feed, append, log } = open((inner) => ({
    newest: () => (isLost ? lost() : inner.newest()),
    readAfter: (position, limit) => (isLost ? lost() : inner.readAfter(position, limit)),
  }));
  const one = createListener();
  await t.rejects(feed.follow(null, one.listener), { code: 'store_unavailable' });
  isLost = false;
  append(1);
  const other = await feed.follow(null, createListener().listener);
  isLost = true;
  await t.rejects(feed.follow(await log.newest(), one.listener), { code: 'store_unavailable' });
  isLost = false;
  const follower = await feed.follow(null, one.listener);
  const ids = append(2);
  await until('it follows', () => one.ids.length === 2);
  t.same(one.ids, ids);
  follower.leave();
  other.leave();
});

t.test('bears a short loss, and gives up after a long one', async (t) => {
  let isLost = false;
  const { feed, append, clock, log } = open((inner) => ({
    readAfter: (position, limit) => (isLost ? lost() : inner.readAfter(position, limit)),
  }));
  append(1);
  const from = await log.newest();
  append(300);
  const one = createListener();
  const follower = await feed.follow(null, one.listener);
  const gate = Promise.withResolvers<boolean>();
  const late = createListener(() => gate.promise);
  const behind = await feed.follow(from, late.listener);
  isLost = true;
  gate.resolve(true);
  const ids = append(5);
  await until('the late one is told', () => late.told.lost === 1);
  behind.leave();
  await until('new ones are refused', async () => {
    return isRefused(feed);
  });
  isLost = false;
  await until('it is back', () => one.ids.length === 5);
  t.same(one.ids, ids);
  t.equal(one.told.lost, 0);
  isLost = true;
  append(1);
  await until('the loss is noticed', async () => {
    return isRefused(feed);
  });
  clock.advance(10_000);
  await until('it is given up', () => one.told.lost === 1);
  follower.leave();
});

t.test('holds no failure against those who come after everybody has left', async (t) => {
  const gate = Promise.withResolvers<void>();
  let reads = 0;
  const { feed, append } = open((inner) => ({
    readAfter: async (position, limit) => {
      reads += 1;
      if (reads > 1) return inner.readAfter(position, limit);
      await gate.promise;
      return lost();
    },
  }));
  const first = await feed.follow(null, createListener().listener);
  append(1);
  await until('it reads', () => reads === 1);
  first.leave();
  gate.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  const one = createListener();
  const follower = await feed.follow(null, one.listener);
  const ids = append(1);
  await until('it has it', () => one.ids.length > 0);
  t.same(one.ids, ids);
  follower.leave();
});

t.test('passes entries by that a listener has had from the log', async (t) => {
  const { feed, append, log } = open();
  const first = createListener();
  const following = await feed.follow(null, first.listener);
  const ids = append(350);
  const { entries } = await log.readAfter(null, 240);
  const ahead = createListener();
  const follower = await feed.follow(entries.at(-1)?.position ?? null, ahead.listener);
  await until('both have all', () => first.ids.length === 350 && ahead.ids.length >= 110);
  await new Promise((resolve) => setTimeout(resolve, 60));
  t.same(ahead.ids, ids.slice(240), 'though the feed had not read them yet');
  t.equal(follower.position(), following.position());
  following.leave();
  follower.leave();
});

t.test('reads again at once what was appended while it read', async (t) => {
  const gates: PromiseWithResolvers<void>[] = [];
  let isSlow = false;
  const { feed, append } = open((inner) => ({
    readAfter: async (position, limit) => {
      const slice = await inner.readAfter(position, limit);
      if (!isSlow) return slice;
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      return slice;
    },
  }));
  const one = createListener();
  const follower = await feed.follow(null, one.listener);
  isSlow = true;
  const ids = append(1);
  await until('it reads', () => gates.length === 1);
  ids.push(...append(1));
  isSlow = false;
  gates[0]?.resolve();
  await until('it has both', () => one.ids.length === 2);
  t.same(one.ids, ids);
  follower.leave();
});

t.test('follows a log that has nothing between two positions', async (t) => {
  const slices: Record<string, LogPosition> = { '1': '2', '2': '4' };
  const { feed } = open(() => ({
    newest: async () => '5',
    readAfter: async (position) => ({
      entries: [],
      position: slices[position ?? ''] ?? position,
      isGap: false,
    }),
  }));
  const live = await feed.follow(null, createListener().listener);
  const one = createListener();
  const follower = await feed.follow('1', one.listener);
  await until('it has moved on', () => follower.position() === '4');
  t.same([one.ids, one.told], [[], { gaps: 0, lost: 0 }]);
  follower.leave();
  live.leave();
});

t.test('reads on at once after a slice of nothing', async (t) => {
  let moves = 0;
  const { feed, append } = open((inner) => ({
    newest: async () => '0',
    readAfter: async (position, limit) => {
      if (moves < 5) {
        moves += 1;
        return { entries: [], position: String(moves), isGap: false };
      }
      const { entries } = await inner.readAfter(null, limit);
      const news = position === '6' ? [] : entries.map((entry) => ({ ...entry, position: '6' }));
      return { entries: news, position: '6', isGap: false };
    },
  }));
  const one = createListener();
  const follower = await feed.follow(null, one.listener);
  const ids = append(1);
  await until('it has passed by the five', () => one.ids.length > 0);
  t.same(one.ids, ids);
  follower.leave();
});

t.test('lets one join before the feed moves on, however close they are', async (t) => {
  const gates: PromiseWithResolvers<void>[] = [];
  let isGated = false;
  const { feed, append, log } = open((inner) => ({
    readAfter: async (position, limit) => {
      const slice = await inner.readAfter(position, limit);
      if (!isGated) return slice;
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      return slice;
    },
  }));
  append(1);
  const live = await feed.follow(null, createListener().listener);
  isGated = true;
  const one = createListener();
  const joining = feed.follow(await log.newest(), one.listener);
  await until('it reads what there is', () => gates.length === 1);
  const ids = append(1);
  await until('the feed reads what is new', () => gates.length === 2);
  isGated = false;
  for (const gate of gates) gate.resolve();
  const follower = await joining;
  await until('it has it', () => one.ids.length === 1);
  t.same(one.ids, ids);
  follower.leave();
  live.leave();
});

t.test('lets others run while it hands entries to many listeners, of whom some leave or join', async (t) => {
  const { feed, append } = open();
  const listeners = Array.from({ length: 350 }, () => createListener());
  const followers: Awaited<ReturnType<DecisionFeed['follow']>>[] = [];
  for (const { listener } of listeners) followers.push(await feed.follow(null, listener));
  const late = createListener();
  const joining = Promise.withResolvers<ReturnType<DecisionFeed['follow']>>();
  const first = listeners[0]?.listener;
  const onEntries = first?.onEntries;
  if (first !== undefined)
    first.onEntries = (entries) => {
      onEntries?.(entries);
      // The next turn of the event loop.
      setImmediate(() => {
        if (followers[349]?.position() !== followers[0]?.position()) followers[349]?.leave();
        joining.resolve(feed.follow(null, late.listener));
      });
    };
  const ids = append(3);
  await until('all who stayed have them', () => listeners[348]?.ids.length === 3);
  const joined = joining.promise;
  t.equal(listeners[349]?.ids.length, 0, 'who left between two turns is told nothing');
  for (const { ids: seen } of listeners.slice(0, 349)) t.same(seen, ids);
  const more = append(2);
  await until('all have the next', () => listeners[348]?.ids.length === 5 && late.ids.length === 2);
  t.same(late.ids, more, 'who joined has what came afterwards');
  for (const follower of [...followers, await joined]) follower.leave();
});
