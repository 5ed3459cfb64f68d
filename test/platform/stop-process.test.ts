import t, { type Test } from 'tap';
import { runProgram } from '../support/start-program.ts';

/** Longer than any test: what ends before it was not waited for. */
const NEVER_MS = 600_000;
/** A signal that comes sooner is the first again. */
const LATER_MS = 260;

/** Runs `script` in a process that stops gracefully and prints each step; it must tell itself to stop. */
async function run(t: Test, script: string, { drainDelayMs = 0, closeMs = NEVER_MS, close = 'null' } = {}) {
  const program = `
    import { stopGracefully } from './src/platform/stop-process.ts';
    const isAlive = setInterval(() => {}, 1_000);
    const later = (run) => setTimeout(run, ${LATER_MS});
    stopGracefully({
      drainDelayMs: ${drainDelayMs},
      closeMs: ${closeMs},
      onSignal: (signal) => console.log(signal),
      onError: (error) => console.log(error.message),
      close: async () => { console.log('close'); return ${close}; },
      abandon: async () => console.log('abandon'),
      exit: (code) => { console.log('exit'); process.exit(code); },
    });
    ${script}`;
  const { code, stdout, stderr } = await runProgram(t, [
    process.execPath,
    '--input-type=module',
    '--eval',
    program,
  ]);
  t.equal(stderr, '');
  return { code, steps: stdout.trim().split('\n') };
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']) {
  t.test(`closes on ${signal} and exits with 0`, async (t) => {
    const { code, steps } = await run(t, `process.kill(process.pid, '${signal}');`);
    t.strictSame({ code, steps }, { code: 0, steps: [signal, 'close', 'exit'] });
  });
}

t.test('ends the delay on a second signal', async (t) => {
  const script = `process.emit('SIGTERM', 'SIGTERM'); later(() => process.emit('SIGTERM', 'SIGTERM'));`;
  const { code, steps } = await run(t, script, { drainDelayMs: NEVER_MS });
  t.strictSame({ code, steps }, { code: 0, steps: ['SIGTERM', 'close', 'exit'] });
});

t.test('takes signals that come together for one, the second time too', async (t) => {
  const script = `
    const both = () => { process.emit('SIGINT', 'SIGINT'); process.emit('SIGTERM', 'SIGTERM'); };
    both(); later(both);`;
  const close = 'new Promise((resolve) => setTimeout(resolve, 50))';
  const { code, steps } = await run(t, script, { drainDelayMs: NEVER_MS, close });
  t.strictSame({ code, steps }, { code: 0, steps: ['SIGINT', 'close', 'exit'] });
});

t.test('exits with 1 on a signal while closing', async (t) => {
  const script = `process.emit('SIGTERM', 'SIGTERM'); later(() => process.emit('SIGTERM', 'SIGTERM'));`;
  const { code, steps } = await run(t, script, { close: 'new Promise(() => {})' });
  t.strictSame({ code, steps }, { code: 1, steps: ['SIGTERM', 'close', 'abandon', 'exit'] });
});

t.test('exits with 1 when closing takes too long', async (t) => {
  const script = `process.emit('SIGTERM', 'SIGTERM');`;
  const { code, steps } = await run(t, script, { closeMs: 1, close: 'new Promise(() => {})' });
  t.strictSame({ code, steps }, { code: 1, steps: ['SIGTERM', 'close', 'abandon', 'exit'] });
});

t.test('exits with 1 when closing fails, and tells why', async (t) => {
  const close = `Promise.reject(new Error('no close'))`;
  const { code, steps } = await run(t, `process.emit('SIGTERM', 'SIGTERM');`, { close });
  t.strictSame({ code, steps }, { code: 1, steps: ['SIGTERM', 'close', 'no close', 'exit'] });
});

for (const [kind, script] of [
  ['an error that nobody caught', `setTimeout(() => { throw new Error('lost'); });`],
  ['a rejection that nobody caught', `Promise.reject(new Error('lost'));`],
] as const) {
  t.test(`closes without the delay on ${kind}, and exits with 1`, async (t) => {
    const { code, steps } = await run(t, script, { drainDelayMs: NEVER_MS });
    t.strictSame({ code, steps }, { code: 1, steps: ['lost', 'close', 'exit'] });
  });

  t.test(`closes on ${kind} in the delay, and exits with 1`, async (t) => {
    const { code, steps } = await run(t, `process.emit('SIGTERM', 'SIGTERM'); ${script}`, {
      drainDelayMs: NEVER_MS,
    });
    t.strictSame({ code, steps }, { code: 1, steps: ['SIGTERM', 'lost', 'close', 'exit'] });
  });
}

t.test('goes on closing when a second error is not caught, and exits with 1', async (t) => {
  const script = `
    setTimeout(() => { throw new Error('first'); });
    setTimeout(() => { throw new Error('second'); }, 20);`;
  const close = 'new Promise((resolve) => setTimeout(resolve, 100))';
  const { code, steps } = await run(t, script, { close });
  t.strictSame({ code, steps }, { code: 1, steps: ['first', 'close', 'second', 'exit'] });
});
