import { type Answer, createClient, type Decision, RiskgateFailure, type Verdict } from '@riskgate/client';
import { riskgateNext } from '@riskgate/client/next';
import { createFakeRiskgate } from '@riskgate/client/testing';

const client = createClient({ url: 'http://127.0.0.1:1', apiKey: 'k' });
export async function use(): Promise<Verdict> {
  const decision: Decision = await client.decide({ telemetry_id: 'a', device_ids: { mobilerun: 'b' } });
  const codes: string[] = decision.reasons.map(({ code }) => code);
  const answer: Answer = await client.decideOrChallenge({ telemetry_id: null }, { maxAgeMs: 0 });
  if (answer.failure instanceof RiskgateFailure) codes.push(answer.failure.kind);
  await client.reportOutcome(decision.decision_id, { label: 'challenge_passed', method: codes[0] ?? 'otp' });
  // @ts-expect-error a label that does not exist
  await client.reportOutcome(decision.decision_id, { label: 'fine' });
  // @ts-expect-error a field that does not exist
  await client.decide({ telemetryId: 'a' });
  return answer.verdict;
}
export const middleware = riskgateNext(client, { subject: (request: Request) => ({ ip: request.url }) });
createFakeRiskgate().answer('BLOCK');
