import { z } from 'zod';
import { allSettings, commonSettings, type ProviderDeclaration } from '../src/config/config.ts';
import { DECISION_LOG_SETTINGS } from '../src/config/decision-log-settings.ts';
import { REDIS_SETTINGS } from '../src/config/redis-settings.ts';
import { SERVICE_SETTINGS, type SettingDeclaration } from '../src/config/service-settings.ts';
import { TRACE_SETTINGS } from '../src/config/trace-settings.ts';
import { code, toTable } from './markdown-table.ts';

const HEADER = ['Variable', 'Default', 'Required', 'Meaning', 'Values'];

/** Every environment variable, in one table for the service, one for Redis, one for the decision log, one for traces and one for each provider. */
export function renderConfiguration(providers: readonly ProviderDeclaration[]): string {
  const service = toTable(
    HEADER,
    Object.values<SettingDeclaration>(SERVICE_SETTINGS).map((setting) => toRow(setting, 'yes')),
  );
  const redis = toTable(
    HEADER,
    Object.values<SettingDeclaration>(REDIS_SETTINGS).map((setting) => toRow(setting, 'yes')),
  );
  const log = toTable(
    HEADER,
    Object.values<SettingDeclaration>(DECISION_LOG_SETTINGS).map((setting) => toRow(setting, 'yes')),
  );
  const traces = toTable(
    HEADER,
    Object.values<SettingDeclaration>(TRACE_SETTINGS).map((setting) => toRow(setting, 'yes')),
  );
  const parts = providers.map((provider) => {
    const settings = [...Object.values(provider.settings), ...commonSettings(provider)];
    const rows = settings.map((setting) => toRow(setting, `when ${code(provider.id)} is enabled`));
    return `**${provider.title}**\n\n${toTable(HEADER, rows)}\n`;
  });
  const own = [
    `**The service**\n`,
    `${service}\n`,
    '**Redis**\n',
    `${redis}\n`,
    '**The decision log**\n',
    `${log}\n`,
    '**Traces**\n',
    `${traces}\n`,
  ];
  return [...own, ...parts].join('\n');
}

/** The name of every environment variable. */
export function variableNames(providers: readonly ProviderDeclaration[]): readonly string[] {
  return allSettings(providers).map(({ env }) => env);
}

function toRow(setting: SettingDeclaration, required: string): readonly string[] {
  const isRequired = setting.default === undefined && !setting.isOptional;
  return [
    code(setting.env),
    setting.default === undefined ? '' : code(setting.default),
    isRequired ? required : 'no',
    setting.isCredential ? `${setting.description} Enables the provider.` : setting.description,
    valuesOf(setting.schema) ?? '',
  ];
}

/** The bounds of a number or the members of an enumeration, where the schema says so plainly. */
function valuesOf(schema: z.core.$ZodType): string | null {
  if (schema instanceof z.ZodEnum) return schema.options.map((option) => code(String(option))).join(', ');
  if (schema instanceof z.ZodPipe) return valuesOf(schema.out) ?? valuesOf(schema.in);
  if (!(schema instanceof z.ZodNumber)) return null;
  const { minValue, maxValue } = schema;
  return minValue === null || maxValue === null ? null : `${minValue} to ${maxValue}`;
}
