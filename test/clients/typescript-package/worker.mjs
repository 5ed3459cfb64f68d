import { createClient } from '@riskgate/client';

export default {
  async fetch(_request, { URL: url, KEY: apiKey }) {
    const client = createClient({ url, apiKey, timeoutMs: 20_000 });
    const good = { telemetry_id: 'allow', device_id: 'active' };
    const [allowed, forged] = await client.decideBatch([good, { telemetry_id: 'forged' }]);
    const lost = await createClient({ url: 'http://127.0.0.1:9', apiKey, attempts: 1 }).decideOrChallenge(
      good,
    );
    return new Response([allowed.verdict, forged.verdict, lost.verdict, lost.failure?.kind].join(' '));
  },
};
