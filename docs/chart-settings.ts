import { allSettings, type PlugInDeclarations } from '../src/config/config.ts';
import { secretFileSettings } from '../src/config/secret-files.ts';

/** Settings that the chart makes of other values. */
const OF_THE_CHART = ['API_KEYS_FILE', 'PORT', 'GRPC_PORT', 'DATA_DIR', 'DRAIN_DELAY_MS'];

interface SettingNames {
  /** What `settings` of the chart takes. */
  readonly plain: readonly string[];
  /** What `secrets` takes: each is given to the service as a file. */
  readonly secret: readonly string[];
}

/** The settings that a deployment gives, by whether they are secrets. */
function settingNames(plugIns: PlugInDeclarations): SettingNames {
  const settings = allSettings(plugIns);
  const secret = settings.filter((setting) => secretFileSettings([setting]).length > 0);
  const left = new Set([...OF_THE_CHART, ...secret.map(({ env }) => env)]);
  for (const { env } of secretFileSettings(settings)) left.add(env);
  const names = settings.map(({ env }) => env);
  return {
    plain: names.filter((env) => !left.has(env)).toSorted(),
    secret: secret.map(({ env }) => env).toSorted(),
  };
}

/** The schema of the chart's values with the settings of today. */
export function withSettingNames(text: string, plugIns: PlugInDeclarations): string {
  const schema = JSON.parse(text) as { definitions: Record<string, { enum: readonly string[] }> };
  const { plain, secret } = settingNames(plugIns);
  schema.definitions['settingNames'] = { enum: plain };
  schema.definitions['secretNames'] = { enum: secret };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
