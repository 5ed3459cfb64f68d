import t from 'tap';
import { createLogger } from '../../src/platform/logger.ts';

const CANARY = 'canary-in-a-message';

function log(write: (logger: ReturnType<typeof createLogger>['logger']) => void): string {
  const lines: string[] = [];
  write(createLogger('info', { write: (line) => void lines.push(line) }).logger);
  return lines.join('');
}

t.test('says of an error its name, code and frames, and never its message', async (t) => {
  const error = Object.assign(new TypeError(CANARY), { code: 'ERR_X' });
  for (const text of [
    log((logger) => logger.error(error)),
    log((logger) => logger.error(error, 'it failed')),
    log((logger) => logger.error({ event: 'x', err: error })),
    log((logger) => logger.error({ event: 'x', err: error }, 'it failed')),
  ]) {
    t.match(JSON.parse(text), {
      level: 'error',
      msg: /^(an unexpected error|it failed)$/,
      err: { name: 'TypeError', code: 'ERR_X', frames: [/^at /] },
    });
    t.notMatch(text, CANARY);
  }
});

t.test('says of what was thrown and is no error its kind alone', async (t) => {
  const text = log((logger) => logger.fatal({ err: CANARY }));
  t.match(JSON.parse(text), { msg: 'an unexpected error', err: { name: 'string', code: null, frames: [] } });
  t.notMatch(text, CANARY);
});

t.test('writes lines without an error as they are', async (t) => {
  t.same(
    log((logger) => logger.info({ event: 'x' })).replace(/"time":"[^"]+"/, ''),
    '{"level":"info",,"event":"x"}\n',
  );
  t.match(
    log((logger) => logger.info('plain %s', 'text')),
    /"msg":"plain text"/,
  );
});
