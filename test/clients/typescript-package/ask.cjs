const { createClient } = require('@riskgate/client');
const { createFakeRiskgate } = require('@riskgate/client/testing');

const [url, apiKey] = process.argv.slice(2);
const subject = { telemetry_id: 'allow', device_id: 'active' };
Promise.all([
  createClient({ url, apiKey, timeoutMs: 20_000 }).decideOrChallenge(subject),
  createFakeRiskgate().client.decideOrChallenge(subject),
]).then((answers) => console.log(answers.map(({ verdict }) => verdict).join(' ')));
