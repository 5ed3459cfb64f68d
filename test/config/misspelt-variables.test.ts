import t from 'tap';
import { findMisspeltVariables } from '../../src/config/misspelt-variables.ts';
import { PLUG_INS } from '../support/plug-ins.ts';

const find = (...names: string[]) =>
  findMisspeltVariables(Object.fromEntries(names.map((name) => [name, 'x'])), PLUG_INS);

t.test('names the variable that was meant', async (t) => {
  const slips = {
    POLICY_FIEL: 'POLICY_FILE',
    REDIS_ULR: 'REDIS_URL',
    REDIS_URI: 'REDIS_URL',
    MAX_INFLIGHT: 'MAX_IN_FLIGHT',
    DECISION_LOG_DELIVRY: 'DECISION_LOG_DELIVERY',
    DECISION_DEADLINE: 'DECISION_DEADLINE_MS',
    STYTCH_TIMEOUTS_MS: 'STYTCH_TIMEOUT_MS',
    MOBILERUN_API_TOKEN: undefined,
  };
  for (const [variable, meant] of Object.entries(slips))
    t.strictSame(find(variable), meant === undefined ? [] : [{ variable, meant }], variable);
});

t.test('leaves alone what is ours, empty, or of others', async (t) => {
  t.strictSame(find('REDIS_URL', 'POLICY_FILE', 'STYTCH_SECRET', 'PREFACTOR_OK_TTL_SECONDS'), []);
  t.strictSame(findMisspeltVariables({ POLICY_FIEL: '' }, PLUG_INS), []);
  t.strictSame(
    find('HOME', 'HOSTNAME', 'PATH', 'POST', 'NODE_ENV', 'OTEL_TRACES_SAMPLER', 'npm_config_loglevel'),
    [],
  );
  // What Kubernetes says of services of these names.
  t.strictSame(find('REDIS_PORT', 'REDIS_SERVICE_HOST', 'REDIS_PORT_6379_TCP', 'RISKGATE_SERVICE_PORT'), []);
});
