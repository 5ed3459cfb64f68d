import t from 'tap';
import type { CustodyHashes } from '../../../src/application/custody/custody.ts';
import { createCustodyForgetting } from '../../../src/application/custody/forget-custody.ts';
import type { ForgetTarget } from '../../../src/application/subject-memory/forgettable.ts';

const BY = { caller: 'reviewer', requestId: null };

const under = (key: string): CustodyHashes => {
  const hash = (id: string) => `${key}(${id})`;
  return { telemetry: hash, device: hash, account: hash };
};
const target = (part: ForgetTarget['part'], id: string): ForgetTarget => ({ part, id, hashes: [] });

function open(answer: number | null) {
  const asked: string[] = [];
  const store = {
    forget: (keys: readonly string[]) => {
      asked.push(keys.join(' '));
      return answer;
    },
  };
  return { memory: createCustodyForgetting({ store, hashes: [under('new'), under('old')] }), asked };
}

t.test('forgets a telemetry id in every spelling, under every key', async (t) => {
  const { memory, asked } = open(1);
  const targets = [target('telemetry', 'T-1'), target('device', 'd'), target('telemetry', 'b')];
  t.same(await memory.forget(targets, BY), { removed: 2, isComplete: true });
  t.same(asked, ['new(t-1) old(t-1)', 'new(b) old(b)']);
});

t.test('has nothing of devices, accounts and what can be no telemetry id', async (t) => {
  const { memory, asked } = open(1);
  const targets = [target('device', 'd'), target('account', 'a'), target('telemetry', '\ud800')];
  t.same(await memory.forget(targets, BY), { removed: 0, isComplete: true });
  t.same(asked, []);
});

t.test('says so when the store may still have it', async (t) => {
  const { memory } = open(null);
  t.same(await memory.forget([target('telemetry', 't')], BY), { removed: null, isComplete: false });
});
