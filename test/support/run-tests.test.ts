import t from 'tap';
import { runProgram } from './start-program.ts';

t.test('fails for a named file that does not exist, beside one that does', async (t) => {
  const names = ['test/platform/throttle.test.ts', 'test/platform/no-such.test.ts'];
  const { code, stdout, stderr } = await runProgram(t, [
    process.execPath,
    'test/support/run-tests.ts',
    ...names,
  ]);
  t.equal(code, 1);
  t.match(stderr, /no test file has the name test\/platform\/no-such\.test\.ts/);
  t.match(stdout, /, [1-9]\d* failed\n$/);
});
