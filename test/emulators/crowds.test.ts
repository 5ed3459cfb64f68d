import t, { type Test } from 'tap';
import { CROWDS, type Crowd, homeAddress, toCrowdIds } from '../../src/emulators/crowds.ts';
import { createTally } from '../../src/emulators/traffic.ts';
import { createTestApp } from '../support/test-app.ts';

const IN_CROWD = 15;

/** What the real service decides about one crowd by the evidence of the emulators, and why. */
async function decideAll(t: Test, crowd: Crowd) {
  const app = await createTestApp(t);
  const counts: Record<string, number> = {};
  for (let number = 0; number < IN_CROWD; number += 1) {
    const account = `acct_${number}`;
    const home = { telemetry_id: `allow-home-${number}`, device_id: `fault-slow-0-${number}` };
    const before = await app.decide({ ...home, account_id: account, ip: homeAddress(number) });
    t.equal(before.json.decision, 'ALLOW', 'at home');
    const { json } = await app.decide(toCrowdIds(crowd, number, number, account));
    for (const name of [json.decision, ...json.reasons.map(({ code }: { code: string }) => code)])
      counts[name] = (counts[name] ?? 0) + 1;
    if (crowd !== 'new-vpn') continue;
    // Who passes the challenge is let in from then on.
    const url = `/v1/decisions/${json.decision_id}/outcome`;
    await app.decide({ label: 'challenge_passed' }, { url });
    const again = await app.decide(toCrowdIds(crowd, number, number + IN_CROWD, account));
    counts[`then ${again.json.decision}`] = (counts[`then ${again.json.decision}`] ?? 0) + 1;
  }
  return counts;
}

const EXPECTED: Readonly<Record<Crowd, object>> = {
  traveller: { ALLOW: IN_CROWD },
  roamer: { ALLOW: IN_CROWD },
  vpn: { ALLOW: IN_CROWD },
  'new-vpn': { CHALLENGE: IN_CROWD, IMPOSSIBLE_TRAVEL: IN_CROWD, 'then ALLOW': IN_CROWD },
  'cloud-phone': { CHALLENGE: IN_CROWD, IMPOSSIBLE_TRAVEL: IN_CROWD, CONTRADICTION: IN_CROWD },
};

for (const crowd of CROWDS)
  t.test(`the default policy and ${crowd} of the demo`, async (t) => {
    const counts = await decideAll(t, crowd);
    t.comment(JSON.stringify(counts));
    t.match(counts, EXPECTED[crowd]);
  });

t.test('tells how many of each were hurt or caught', async (t) => {
  const tally = createTally();
  const because = (...codes: string[]) => codes.map((code) => ({ code, certain: true }));
  t.same(tally.lines(), []);
  tally.add({ crowd: 'roamer' }, []);
  tally.add({}, because('CONTRADICTION'));
  t.same(tally.lines(), ['roamers whose traffic leaves at home: 1 asked, 0 stopped by contradictions']);
  tally.add({ crowd: 'roamer' }, because('NEW_DEVICE', 'CONTRADICTION'));
  tally.add({ crowd: 'roamer' }, because('NEW_DEVICE'));
  tally.add({ crowd: 'roamer' }, because('IP_CHURN', 'NEW_DEVICE', 'NEW_DEVICE'));
  tally.add({ crowd: 'roamer' }, [{ code: 'CONTRADICTION', certain: false }]);
  t.same(tally.lines(), [
    'roamers whose traffic leaves at home: 5 asked, 1 stopped by contradictions, 3 by other rules alone (NEW_DEVICE 2, IP_CHURN 1, CONTRADICTION not ruled out 1)',
  ]);
});
