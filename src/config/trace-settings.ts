import { z } from 'zod';
import type { Setting, Settings } from '../platform/setting.ts';

/** A variable that is not obeyed, and why. The reason never repeats its value. */
export interface IgnoredVariable {
  readonly variable: string;
  readonly reason: string;
}

/** How traces are exported. */
export interface TraceConfig {
  /** Where they are posted to, whole. */
  readonly url: string;
  readonly sampler: TraceSampler;
}

/** Which traces are recorded. */
interface TraceSampler {
  /** Whether a caller that began a trace says for itself. */
  readonly isParentBased: boolean;
  /** Of the others, 0 to 1. */
  readonly share: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The variables of OpenTelemetry that are read here, as its specification says
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/): what cannot be read is
 * a warning and the default. Without an endpoint none is read.
 */
export const TRACE_SETTINGS = {
  endpoint: {
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    schema: z.string(),
    isOptional: true,
    description:
      'Where traces are sent (OTLP over HTTP, `/v1/traces` is added). Without an endpoint there are none, and no variable of OpenTelemetry is read. The exporter also reads `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.',
  },
  tracesEndpoint: {
    env: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    schema: z.string(),
    isOptional: true,
    description: 'The same with its path, which is taken as it is; it goes before the other.',
  },
  sampler: {
    env: 'OTEL_TRACES_SAMPLER',
    schema: z.string(),
    default: 'parentbased_always_on',
    description:
      'Which traces are recorded: `always_on`, `always_off`, `traceidratio`, or one of them after `parentbased_`, where a caller whose `traceparent` says so decides for itself.',
  },
  samplerArg: {
    env: 'OTEL_TRACES_SAMPLER_ARG',
    schema: z.string(),
    default: '1',
    description: 'With `traceidratio`: the share that is recorded, 0 to 1. Other samplers have none.',
  },
  exporter: {
    env: 'OTEL_TRACES_EXPORTER',
    schema: z.string(),
    default: 'otlp',
    description: '`none` exports no traces.',
  },
  isDisabled: {
    env: 'OTEL_SDK_DISABLED',
    schema: z.string(),
    default: 'false',
    description: '`true` exports nothing.',
  },
} as const satisfies Settings;

const SAMPLERS: ReadonlyMap<string, { readonly isParentBased: boolean; readonly share: number | null }> =
  new Map([
    ['always_on', { isParentBased: false, share: 1 }],
    ['always_off', { isParentBased: false, share: 0 }],
    ['traceidratio', { isParentBased: false, share: null }],
    ['parentbased_always_on', { isParentBased: true, share: 1 }],
    ['parentbased_always_off', { isParentBased: true, share: 0 }],
    ['parentbased_traceidratio', { isParentBased: true, share: null }],
  ]);
const ALL: TraceSampler = { isParentBased: true, share: 1 };
const DECIMAL = /^[+]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * How traces are exported; null where they are not. An endpoint that is no URL is a mistake, anything else
 * that cannot be read is a warning.
 */
export function readTraces(
  env: Environment,
  onMistake: (mistake: string) => void,
  onIgnored: (ignored: IgnoredVariable) => void,
): TraceConfig | null {
  // Spaces around a value mean nothing, and an empty one is absent.
  const textOf = ({ env: name }: Setting) => env[name]?.trim() || null;
  const { endpoint, tracesEndpoint, exporter, isDisabled } = TRACE_SETTINGS;
  const own = textOf(tracesEndpoint);
  const common = textOf(endpoint);
  const text = own ?? common;
  if (text === null) return null;
  if (readFlag(isDisabled.env, textOf(isDisabled), onIgnored)) return null;
  const exporterName = textOf(exporter);
  if (exporterName?.toLowerCase() === 'none') return null;
  if (exporterName !== null && exporterName.toLowerCase() !== 'otlp')
    onIgnored({ variable: exporter.env, reason: 'must be otlp or none; otlp is used' });
  const sampler = readSampler(textOf, onIgnored);
  if (!z.url({ protocol: /^https?$/ }).safeParse(text).success) {
    onMistake(`${(own === null ? endpoint : tracesEndpoint).env} must be an http:// or https:// URL`);
    return null;
  }
  return { url: own ?? `${text.replace(/\/+$/, '')}/v1/traces`, sampler };
}

function readSampler(
  textOf: (setting: Setting) => string | null,
  onIgnored: (ignored: IgnoredVariable) => void,
): TraceSampler {
  const { sampler, samplerArg } = TRACE_SETTINGS;
  const name = (textOf(sampler) ?? sampler.default).toLowerCase();
  const known = SAMPLERS.get(name);
  if (known === undefined) {
    onIgnored({
      variable: sampler.env,
      reason: `is no sampler that is known here; ${sampler.default} is used`,
    });
    return ALL;
  }
  const { isParentBased } = known;
  const arg = textOf(samplerArg);
  if (known.share !== null) {
    if (arg !== null)
      onIgnored({ variable: samplerArg.env, reason: 'is for the samplers with traceidratio alone' });
    return { isParentBased, share: known.share };
  }
  const share = arg === null ? 1 : Number(arg);
  if (arg === null || (DECIMAL.test(arg) && share >= 0 && share <= 1)) return { isParentBased, share };
  onIgnored({ variable: samplerArg.env, reason: 'must be a number from 0 to 1; 1 is used' });
  return { isParentBased, share: 1 };
}

function readFlag(
  variable: string,
  text: string | null,
  onIgnored: (ignored: IgnoredVariable) => void,
): boolean {
  const flag = text?.toLowerCase() ?? 'false';
  if (flag !== 'true' && flag !== 'false')
    onIgnored({ variable, reason: 'must be true or false; false is used' });
  return flag === 'true';
}
