import t from 'tap';
import { createReferenceData } from '../../src/app/reference-data.ts';
import type { Side } from '../../src/domain/contradictions/contradiction.ts';
import { CONTRADICTIONS } from '../../src/domain/contradictions/registry.ts';
import type { ProviderDefinition } from '../../src/providers/definition.ts';
import { healthyPayload as toPhone } from '../../src/providers/mobilerun/emulator-payloads.ts';
import { mobilerun } from '../../src/providers/mobilerun/index.ts';
import { healthyPayload as toDevice } from '../../src/providers/prefactor/emulator-payloads.ts';
import { prefactor } from '../../src/providers/prefactor/index.ts';
import { readAnswer } from '../../src/providers/read-answer.ts';
import { healthyPayload as toLookup } from '../../src/providers/stytch/emulator-payloads.ts';
import { stytch } from '../../src/providers/stytch/index.ts';
import { CONTEXT, NOW_MS, respond, signalsOf } from '../providers/answer-support.ts';

const read = (provider: ProviderDefinition, payload: object): Side =>
  signalsOf(readAnswer(provider, respond(200, payload), { id: 'one' }, CONTEXT));

t.test('the healthy answers of all emulators are of one person, who contradicts nothing', async (t) => {
  const input = {
    evidence: {
      stytch: read(stytch, toLookup('one', 'POST', NOW_MS)),
      mobilerun: read(mobilerun, toPhone('one')),
      prefactor: read(prefactor, toDevice('one', NOW_MS)),
    },
    request: { userAgent: undefined, ip: undefined, place: undefined },
    memory: {
      places: undefined,
      telemetryFirstUsedMs: undefined,
      hardware: { devices: undefined, accounts: undefined },
    },
    nowMs: NOW_MS,
    params: {},
    reference: createReferenceData(() => null),
  };
  const results = CONTRADICTIONS.map(({ id, find }) => {
    const finding = find(input);
    return [id, typeof finding === 'string' ? finding : finding.result];
  });
  t.same(Object.fromEntries(results), {
    identity_reuse: 'none',
    identity_shape: false,
    travel: false,
    tls_client: false,
    os_family: false,
    sim_country: false,
    time_zone_country: false,
    seen_elsewhere: false,
    clock: false,
    roaming: false,
  });
});
