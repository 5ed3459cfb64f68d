import t from 'tap';
import { ATTEMPTS_MAX, type Machine, whenQuiet } from './when-quiet.ts';

/** A machine on which each attempt takes a second, of which it waits for a share. */
function createMachine(waitedShare: number, isStrict = false): Machine {
  let looks = 0;
  return {
    nowMs: () => Math.ceil(looks / 2) * 1000,
    waitedMs: () => {
      looks += 1;
      return Math.floor(looks / 2) * 1000 * waitedShare;
    },
    load: () => 0.5,
    rest: async () => {},
    isStrict,
  };
}

/** What was said to the test, and how often the attempt was made. */
async function run(machine: Machine, lateInAttempts: number) {
  const said: string[] = [];
  let attempts = 0;
  const listener = {
    pass: (_text: string, { skip = '' } = {}) => said.push(skip === '' ? 'pass' : `skip ${skip}`),
    fail: (text: string) => said.push(`fail ${text}`),
    comment: () => {},
  };
  const attempt = async () => {
    attempts += 1;
    return attempts <= lateInAttempts ? ['late'] : [];
  };
  await whenQuiet(listener as unknown as Parameters<typeof whenQuiet>[0], attempt, machine);
  return { said, attempts };
}

t.test('fails on a quiet machine when it is late twice', async (t) => {
  t.same(await run(createMachine(0.02), 0), { said: ['pass'], attempts: 1 });
  t.same(await run(createMachine(0.02), 1), { said: ['pass'], attempts: 2 });
  t.same(await run(createMachine(0.02), 2), { said: ['fail late'], attempts: 2 });
});

t.test('repeats on a busy machine, by its waiting or by its load', async (t) => {
  t.same(await run(createMachine(0.4), 2), { said: ['pass'], attempts: 3 });
  t.same(await run({ ...createMachine(0), load: () => 4 }, 2), { said: ['pass'], attempts: 3 });
});

t.test('rests between two attempts on a busy machine', async (t) => {
  let rests = 0;
  const rest = async () => {
    rests += 1;
  };
  await run({ ...createMachine(0.4), rest }, 2);
  t.equal(rests, 2);
  await run({ ...createMachine(0.4), rest }, Infinity);
  t.equal(rests, 2 + ATTEMPTS_MAX - 1, 'and not after the last one');
  await run({ ...createMachine(0.02), rest }, 2);
  t.equal(rests, 2 + ATTEMPTS_MAX, 'also before the second on a quiet one');
});

t.test('says so when the machine is never quiet, and fails where nobody would see it', async (t) => {
  const lax = await run(createMachine(0.4), Infinity);
  t.equal(lax.attempts, ATTEMPTS_MAX);
  t.match(lax.said, [/^skip the machine was busy in all of 5 attempts: late/]);
  t.match((await run(createMachine(0.4, true), Infinity)).said, [/^fail the machine was busy/]);
});
