import { ReplyError } from 'ioredis';
import t from 'tap';
import { hasAnswered, isNotServing, redisErrorCode, withCode } from '../../../src/stores/redis/error-code.ts';

const reply = (text: string) => new ReplyError(text) as Error;

t.test('reads the code of a reply, also of what a script was refused by an older Redis', (t) => {
  t.equal(redisErrorCode(reply("READONLY You can't write against a read only replica.")), 'READONLY');
  const wrapped =
    "ERR Error running script (call to f_0): @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.";
  t.equal(redisErrorCode(reply(wrapped)), 'READONLY');
  t.equal(redisErrorCode(reply('ERR unknown command -READONLY')), 'ERR');
  t.equal(redisErrorCode(new Error('Connection is closed.')), 'no_answer');
  t.end();
});

t.test('tells what serves nothing from what only refuses', (t) => {
  for (const code of ['READONLY', 'MASTERDOWN', 'LOADING', 'NOAUTH', 'CLUSTERDOWN']) t.ok(isNotServing(code));
  for (const code of ['OOM', 'MISCONF', 'NOREPLICAS', 'NOPERM', 'WRONGTYPE']) t.notOk(isNotServing(code));
  t.end();
});

t.test('knows what a server has answered from what it has not', (t) => {
  t.ok(hasAnswered(reply('NOAUTH Authentication required.')));
  t.ok(hasAnswered(withCode('CLUSTER_NODE')));
  t.notOk(hasAnswered(new Error('Command timed out')));
  t.end();
});
