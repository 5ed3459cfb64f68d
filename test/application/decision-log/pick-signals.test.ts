import t from 'tap';
import { pickSignals } from '../../../src/application/decision-log/pick-signals.ts';

t.test('picks the signals with the names, in their order, and none that is absent', async (t) => {
  const names = ['found', 'status', 'action'];
  const picked = pickSignals({ found: true, action: 'ALLOW', status: 'x', secret: 'y' }, names);
  t.equal(JSON.stringify(picked), '{"found":true,"status":"x","action":"ALLOW"}');
  t.equal(JSON.stringify(pickSignals({ found: false, action: undefined }, names)), '{"found":false}');
});

t.test('gives equal picks as one object, which cannot be changed', async (t) => {
  const names = ['found', 'action'];
  const list = ['a'];
  const picked = pickSignals({ found: true, action: 'ALLOW' }, names);
  t.equal(pickSignals({ found: true, action: 'ALLOW', other: 1 }, names), picked);
  t.ok(Object.isFrozen(picked));
  t.not(pickSignals({ found: true, action: 'ALLOW' }, [...names]), picked, 'the names of another policy');
  const listed = pickSignals({ found: true, action: list }, names);
  t.equal(pickSignals({ found: true, action: list }, names), listed);
  t.not(pickSignals({ found: true, action: ['a'] }, names), listed, 'another list, though an equal one');
});

t.test('takes no pick for another that differs in one signal', async (t) => {
  const names = ['found', 'action', 'number'];
  const all = [
    { found: true, action: 'ALLOW', number: 1 },
    { found: false, action: 'ALLOW', number: 1 },
    { found: true, action: 'BLOCK', number: 1 },
    { found: true, action: 'ALLOW', number: 2 },
    { found: true, number: 1 },
    { found: true, action: 'ALLOW' },
    { found: true },
  ];
  for (const signals of [...all, ...all]) t.strictSame({ ...pickSignals(signals, names) }, signals);
});

t.test('remembers a bounded number of picks, and is right about the others', async (t) => {
  const names = ['found', 'number'];
  const first = pickSignals({ found: true, number: 0 }, names);
  for (let number = 1; number < 100; number += 1)
    t.strictSame({ ...pickSignals({ found: true, number }, names) }, { found: true, number });
  const again = pickSignals({ found: true, number: 0 }, names);
  t.not(again, first);
  t.strictSame(again, first);
});
