import { z } from 'zod';
import { allSettings, type PlugInDeclarations } from '../src/config/config.ts';
import { allDecisionLogSettings } from '../src/config/decision-log-settings.ts';
import { OIDC_SETTINGS } from '../src/config/oidc-settings.ts';
import { commonSettings } from '../src/config/provider-settings.ts';
import { PROXY_SETTINGS } from '../src/config/proxy-settings.ts';
import { REDIS_SETTINGS } from '../src/config/redis-settings.ts';
import { secretFileSettings } from '../src/config/secret-files.ts';
import { SERVICE_SETTINGS } from '../src/config/service-settings.ts';
import { TRACE_SETTINGS } from '../src/config/trace-settings.ts';
import type { Setting } from '../src/platform/setting.ts';
import { code, toTable } from './markdown-table.ts';

const HEADER = ['Variable', 'Default', 'Required', 'Meaning', 'Values'];

/**
 * Every environment variable, in one table for the service, one for signing in, one for Redis, one for the decision log, one for
 * traces, one for proxies and one for each provider.
 */
export function renderConfiguration({ providers, sinks }: PlugInDeclarations): string {
  const service = toTable(HEADER, toRows(Object.values(SERVICE_SETTINGS), 'yes'));
  const oidc = toTable(HEADER, toRows(Object.values(OIDC_SETTINGS), 'yes'));
  const redis = toTable(HEADER, toRows(Object.values(REDIS_SETTINGS), 'yes'));
  const log = toTable(HEADER, toRows(allDecisionLogSettings(sinks), 'when its sink is named'));
  const traces = toTable(HEADER, toRows(Object.values(TRACE_SETTINGS), 'yes'));
  const proxy = toTable(HEADER, toRows(Object.values(PROXY_SETTINGS), 'yes'));
  const parts = providers.map((provider) => {
    const settings = [...Object.values(provider.settings), ...commonSettings(provider)];
    const rows = toRows(settings, `when ${code(provider.id)} is enabled`);
    return `**${provider.title}**\n\n${toTable(HEADER, rows)}\n`;
  });
  const own = [
    `**The service**\n`,
    `${service}\n`,
    '**Signing in with OpenID Connect**\n',
    `${oidc}\n`,
    '**Redis**\n',
    `${redis}\n`,
    '**The decision log**\n',
    `${log}\n`,
    '**Traces**\n',
    `${traces}\n`,
    '**Proxies**\n',
    `${proxy}\n`,
  ];
  return [...own, ...parts].join('\n');
}

/** The name of every environment variable. */
export function variableNames(plugIns: PlugInDeclarations): readonly string[] {
  return allSettings(plugIns).map(({ env }) => env);
}

/** A row for each setting, and after each secret one for its file. */
function toRows(settings: readonly Setting[], required: string): readonly (readonly string[])[] {
  return settings.flatMap((setting) =>
    [setting, ...secretFileSettings([setting])].map((one) => toRow(one, required)),
  );
}

function toRow(setting: Setting, required: string): readonly string[] {
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
