import type { ProviderDeclaration } from '../../config/provider-settings.ts';
import type { Setting } from '../../platform/setting.ts';

/** A file of a new configuration. */
export interface FirstFile {
  /** Below the folder, with slashes. */
  readonly path: string;
  readonly text: string;
  /** Whether only its owner may read it. */
  readonly isSecret: boolean;
}

/** What the files are made of. */
interface FirstFileParts {
  readonly providers: readonly ProviderDeclaration[];
  /** Random, and no one else's. */
  readonly apiKey: string;
  readonly apiKeySha256: string;
  readonly idHashKey: string;
  /** The default policy and its cases. */
  readonly policy: string;
  readonly policyCases: string;
  readonly version: string;
}

/** Where secrets stand; the folder is not for version control. */
const SECRETS = 'secrets';
/** The key of the first caller, in plain text. */
export const API_KEY_FILE = `${SECRETS}/api-key`;
/** The file of variables. */
export const ENV_FILE = '.env';

/** Everything that a service needs to start but the credentials of a provider. */
export function toFirstFiles(parts: FirstFileParts): readonly FirstFile[] {
  const { apiKey, apiKeySha256, idHashKey, policy, policyCases, version } = parts;
  return [
    { path: ENV_FILE, text: toEnvironment(parts.providers), isSecret: true },
    { path: 'policy.yaml', text: toPolicy(policy, version), isSecret: false },
    { path: 'policy.test.yaml', text: toPolicyCases(policyCases), isSecret: false },
    { path: 'gateway-profiles.yaml', text: PROFILES, isSecret: false },
    { path: `${SECRETS}/.gitignore`, text: '# Secrets are not for version control.\n*\n', isSecret: false },
    { path: `${SECRETS}/api-keys.yaml`, text: toApiKeys(apiKeySha256), isSecret: true },
    { path: API_KEY_FILE, text: `${apiKey}\n`, isSecret: true },
    { path: `${SECRETS}/id-hash-key`, text: `${idHashKey}\n`, isSecret: true },
  ];
}

/** The variables that hold credentials, by the title of the provider. */
export function credentialsOf(
  providers: readonly ProviderDeclaration[],
): readonly { readonly title: string; readonly variables: readonly string[] }[] {
  return providers.map(({ title, settings }) => ({
    title,
    variables: Object.values<Setting>(settings).flatMap((setting) =>
      setting.isCredential === true ? [setting.env] : [],
    ),
  }));
}

function toEnvironment(providers: readonly ProviderDeclaration[]): string {
  const credentials = credentialsOf(providers).map(
    ({ title, variables }) => `# ${title}\n${variables.map((name) => `${name}=\n`).join('')}`,
  );
  return `# The configuration of riskgate. \`riskgate serve --environment ${ENV_FILE}\` reads it; what the environment itself
# says goes before it. \`riskgate config table\` lists every variable. Paths start where the service is started.

# Credentials of the providers; with them this file is a secret, and not for version control. At least one
# provider is needed. One without credentials is not asked, and rules that need it do nothing. A credential may
# be in a file of its own: NAME_FILE=/run/secrets/name in the place of NAME.
${credentials.join('')}
# Loopback. Before others can reach it, put TLS in front: it serves plain HTTP.
HOST=127.0.0.1
PORT=8080

# Who may ask. Only hashes are in it; it is re-read when it changes. \`riskgate keys new <id>\` makes more.
API_KEYS_FILE=${SECRETS}/api-keys.yaml

# Ids are kept as hashes under this key alone. Keep it, the same on all replicas: with another one everything
# that is remembered of subjects is unknown.
ID_HASH_KEY_FILE=${SECRETS}/id-hash-key

# What decides, and how gateways ask. Both are re-read when they change; a broken one is refused.
POLICY_FILE=policy.yaml
GATEWAY_PROFILES_FILE=gateway-profiles.yaml

# Decisions, lists and what waits to be sent are kept here, by one process alone.
DATA_DIR=data

# With more than one replica: a Redis that all of them share (noeviction, appendonly yes).
#REDIS_URL=rediss://user:password@redis.example:6379
`;
}

function toPolicy(policy: string, version: string): string {
  return `# Yours to change. It began as the default policy of riskgate ${version}. \`riskgate check policy.yaml\` says what is
# wrong with it, \`riskgate test policy.test.yaml\` runs its cases.

${policy}`;
}

/** Cases name the policy that they are about by its file. */
function toPolicyCases(cases: string): string {
  return cases
    .replace(/^# Cases for \S+\.yaml\./, '# Cases for policy.yaml.')
    .replace(/^policy: .*$/m, 'policy: policy.yaml');
}

function toApiKeys(sha256: string): string {
  return `# Who may ask. \`id\` is how decisions, metrics and limits name a caller. Scopes: decide (ask, and say how it turned
# out), read (see decisions, the dashboard), review (label them), admin (purges, lists, candidates), signal
# (deliver shared signals). Give each caller a key of its own with as few as it needs.
keys:
  # Its key is in the file api-key beside this one. Move it to where it is used, and delete the file.
  - id: first
    sha256: ${sha256}
    scopes: [decide, read, review, admin]
    # not_after: 2027-01-31T00:00:00Z
    # limits: {requests: 600, window_seconds: 60, concurrent: 50}
`;
}

const PROFILES = `# How API gateways ask: at /v1/gateway/<dialect>/<profile>. The profile \`default\` is built in: a challenge is
# refused with 401. Gateways show an API key of the scope \`decide\` in X-Riskgate-Key.
profiles:
  # Pages: the browser of a challenged user is sent to your step-up. Change the address before it is used.
  web:
    challenge: redirect
    challenge_url: https://login.example/step-up
`;
