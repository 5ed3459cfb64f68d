/** Asks for a decision and for readiness by the types that openapi-typescript makes. */
import type { paths } from './riskgate.ts';

type Decide = paths['/v1/decide']['post'];
type Ready = paths['/readyz']['get'];

const [origin = '', key = ''] = process.argv.slice(2);
const body: NonNullable<Decide['requestBody']>['content']['application/json'] = {
  telemetry_id: 'allow',
  device_id: 'active',
};
const answer = await fetch(`${origin}/v1/decide`, {
  method: 'POST',
  headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const decision = (await answer.json()) as Decide['responses'][200]['content']['application/json'];
const ready = (await (
  await fetch(`${origin}/readyz`)
).json()) as Ready['responses'][200]['content']['application/json'];
console.log(decision.decision, ready.status);
