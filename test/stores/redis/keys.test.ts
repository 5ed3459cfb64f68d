import t from 'tap';
import { createRedisKeys, isKeyOf } from '../../../src/stores/redis/keys.ts';

t.test('spells versioned keys under the prefix', async (t) => {
  const keys = createRedisKeys('riskgate');
  t.equal(keys.evidence('stytch:0123'), 'riskgate:v1:evidence:stytch:0123');
  t.equal(keys.custody('0123'), 'riskgate:v2:custody:{01}23');
  t.equal(keys.custodyGeneration('0123'), 'riskgate:v2:custody-began:{01}');
  t.equal(keys.formerGeneration('0123'), 'riskgate:v1:custody-began:{01}');
  t.equal(keys.purgeChannel, 'riskgate:v1:purge');
  t.not(createRedisKeys('other').evidence('stytch:0123'), keys.evidence('stytch:0123'));
});

t.test('knows whose key it is', async (t) => {
  t.equal(isKeyOf('stytch', 'stytch:0123'), true);
  t.equal(isKeyOf('styt', 'stytch:0123'), false);
  t.equal(isKeyOf('', 'stytch:0123'), false);
  t.equal(isKeyOf('stytch', 'stytch'), false);
});
