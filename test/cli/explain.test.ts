import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCommand } from '../support/run-cli.ts';
import { createDirectory } from '../support/test-app.ts';

const REQUEST = { telemetry_id_present: true, device_id_present: true, device_id_given: true };
const POLICY = `policy: mine
otherwise: ALLOW
rules:
  - {id: unknown-id, when: '!stytch.found', verdict: BLOCK, reason: NOT_FOUND}
  - {id: vpn, when: 'stytch.is_vpn', verdict: BLOCK, reason: VPN, on_unknown: IGNORE}
`;

function createFiles(t: Test, witness: unknown): readonly string[] {
  const directory = createDirectory(t);
  const [policy, file] = [join(directory, 'policy.yaml'), join(directory, 'witness.json')];
  writeFileSync(policy, POLICY);
  writeFileSync(file, JSON.stringify(witness));
  return ['explain', '--witness', file, '--policy', policy];
}

t.test('decides a witness, and shows every rule', async (t) => {
  const args = createFiles(t, { evidence: { stytch: { outcome: 'timeout' } }, request: REQUEST, facts: {} });
  const { code, text } = await runCommand(args);
  t.equal(code, 0);
  t.match(text, /^CHALLENGE, degraded\n {2}NOT_FOUND \(unknown-id, not certain\)/);
  t.match(text, /waived: VPN \(vpn\)/);
  t.match(text, /unknown {1}unknown-id: stytch timeout/);
});

t.test('fails where it is not decided as the witness expects', async (t) => {
  const signals = { found: true, is_vpn: false };
  const witness = { evidence: { stytch: { outcome: 'ok', signals } }, request: REQUEST, facts: {} };
  const right = createFiles(t, { ...witness, expect: { verdict: 'ALLOW', degraded: false } });
  t.match(await runCommand([...right, '--json']), {
    code: 0,
    json: { as_expected: true, decision: 'ALLOW' },
  });
  const wrong = createFiles(t, { ...witness, expect: { verdict: 'BLOCK' } });
  t.match(await runCommand(wrong), { code: 1, text: /The witness expects BLOCK\./ });
});

t.test('says what is wrong with a witness', async (t) => {
  const args = createFiles(t, { evidence: { stytch: { outcome: 'tiemout' } }, request: REQUEST, facts: {} });
  t.match(await runCommand(args), { code: 2, err: /evidence\.stytch\.outcome: .*did you mean timeout\?/ });
});
