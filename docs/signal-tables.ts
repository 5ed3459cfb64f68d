import { z } from 'zod';
import { ACTIVITY_PARTS, ACTIVITY_WINDOWS } from '../src/domain/activity/activity-parts.ts';
import { activitySignals } from '../src/domain/activity/activity-signals.ts';
import { TOTALS } from '../src/domain/contradictions/contradiction-signals.ts';
import { CONTRADICTIONS } from '../src/domain/contradictions/registry.ts';
import { INDEFINITE_OUTCOMES } from '../src/domain/evidence.ts';
import { requestSignalsSchema } from '../src/domain/policy/request-signals.ts';
import { stepUpSignalsSchema } from '../src/domain/policy/step-up-signals.ts';
import { telemetrySignalsSchema } from '../src/domain/policy/telemetry-signals.ts';
import { SHARED_PARTS } from '../src/domain/shared-signals/shared-events.ts';
import { sharedPartSchema } from '../src/domain/shared-signals/shared-fact.ts';
import { code, toTable } from './markdown-table.ts';

/** The part of a provider definition that these tables need. */
export interface SignalSource {
  readonly id: string;
  readonly title: string;
  readonly signals: z.ZodObject;
  /** The keys are the outcomes that the provider can settle to. */
  readonly ttlSeconds: Readonly<Record<string, number>>;
}

/** One name that a condition can read. */
export interface Signal {
  /** Dotted, from its variable on. */
  readonly name: string;
  /** As CEL checks it, or `object` for one with members. */
  readonly type: string;
  /** Who chooses it: `client`, the caller, a provider or the service. */
  readonly from: string;
  /** `always`, `optional`, or `with` the object that it belongs to. */
  readonly presence: string;
  readonly meaning: string;
}

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  /** As `fromClient` marks it. */
  readonly origin?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

const HEADER = ['Name', 'Type', 'From', 'Present', 'Meaning'];

const CEL_TYPES: Readonly<Record<string, string>> = {
  boolean: 'bool',
  integer: 'int',
  number: 'double',
  string: 'string',
  object: 'object',
};

/** Every name that a policy can read, in one table for each variable. */
export function renderSignals(providers: readonly SignalSource[]): string {
  const parts = allSignals(providers).map(({ variable, intro, signals }) => {
    const rows = signals.map(({ name, type, from, presence, meaning }) => [
      code(name),
      code(type),
      from,
      presence,
      meaning,
    ]);
    return `### ${code(variable)}\n\n${intro}\n\n${toTable(HEADER, rows)}\n`;
  });
  return parts.join('\n');
}

/** The signals of every variable, in the order of the tables. */
export function allSignals(
  providers: readonly SignalSource[],
): readonly { variable: string; intro: string; signals: readonly Signal[] }[] {
  return [
    {
      variable: 'request',
      intro: 'The request itself. Never lost in an outage, and never stored.',
      signals: signalsOf('request', requestSignalsSchema, 'caller'),
    },
    {
      variable: 'telemetry',
      intro:
        'Custody of the telemetry id: who used it first, and when. Absent as a whole when it is not known or there is no telemetry id. A condition reads its signals one by one: `has(telemetry.…)` and `telemetry` alone are refused.',
      signals: signalsOf('telemetry', telemetrySignalsSchema, 'service'),
    },
    {
      variable: 'activity',
      intro: `What was lately seen of a part of the subject: ${ACTIVITY_PARTS.map((part) => code(part)).join(', ')}. A window is ${Object.keys(ACTIVITY_WINDOWS).map(code).join(', ')}. The name of an event that the policy lists under \`events\` stands where \`payment\` does. See [above](#activity).`,
      signals: activityRows(),
    },
    {
      variable: 'step_up',
      intro:
        'Whether this subject has completed a challenge. Absent as a whole when it is not known. A condition reads its signals one by one: `has(step_up.…)` and `step_up` alone are refused. What satisfies a CHALLENGE is the field `step_up` of a rule; see [above](#step-up).',
      signals: signalsOf('step_up', stepUpSignalsSchema, 'service'),
    },
    {
      variable: 'shared',
      intro:
        'What others have told of the account and the devices of the subject, by [Shared Signals](shared-signals.md). Absent as a whole where that cannot be known; 2147483647 where nothing was told within 30 days. A condition reads its signals one by one.',
      signals: SHARED_PARTS.flatMap((part) => signalsOf(`shared.${part}`, sharedPartSchema, 'service')),
    },
    {
      variable: 'contradictions',
      intro: `Whether pieces of evidence contradict each other, the strongest contradiction first. One is unknown where something that it compares was lost, and a rule that needs it is inert where there is nothing to compare. A condition reads its signals one by one. See [above](#evidence-that-contradicts-itself).`,
      signals: contradictionRows(),
    },
    {
      variable: 'providers',
      intro: 'How each provider call ended. Always readable, in an outage too.',
      signals: providers.flatMap((provider) => [toOutcome(provider), toSuspect(provider)]),
    },
    ...providers.map(({ id, title, signals }) => ({
      variable: id,
      intro: `What ${title} said. Absent as a whole when the outcome is indefinite or \`skipped\`.`,
      signals: signalsOf(id, signals, 'provider'),
    })),
  ];
}

function contradictionRows(): readonly Signal[] {
  const single = CONTRADICTIONS.map(({ id, family, meaning }) => ({
    name: `contradictions.${id}`,
    type: 'bool',
    from: 'service',
    presence: 'optional',
    meaning: `${meaning} Of the family ${code(family)}.`,
  }));
  const totals = Object.entries(TOTALS).map(([name, { kind, meaning }]) => ({
    name: `contradictions.${name}`,
    type: kind,
    from: 'service',
    presence: 'optional',
    meaning,
  }));
  return [...single, ...totals];
}

/** One row for all windows, and for all parts that have it. */
function activityRows(): readonly Signal[] {
  const rows = new Map<string, Signal & { readonly parts: string[] }>();
  for (const part of ACTIVITY_PARTS) {
    for (const { name, kind, meaning } of activitySignals(part, [])) {
      const base = name.replace(WINDOW, '_<window>');
      const known = rows.get(base);
      if (known?.parts.includes(part)) continue;
      if (known !== undefined) known.parts.push(part);
      else {
        const told = meaning.replace(WINDOW_TEXT, 'the window');
        rows.set(base, {
          name: base,
          type: kind,
          from: 'service',
          presence: 'optional',
          meaning: told,
          parts: [part],
        });
      }
    }
  }
  return [...rows.values()].map(({ parts, ...row }) => {
    const isSome = parts.length > 1 && parts.length < ACTIVITY_PARTS.length;
    const whose = isSome ? ` Of ${parts.map(code).join(', ')}.` : '';
    return {
      ...row,
      name: `activity.${parts.length === 1 ? parts[0] : '<part>'}.${row.name}`,
      meaning: row.meaning + whose,
    };
  });
}

const WINDOWS = Object.keys(ACTIVITY_WINDOWS).join('|');
const WINDOW = new RegExp(`_(${WINDOWS})$`);
const WINDOW_TEXT = new RegExp(`the last (${WINDOWS})`);

function toOutcome({ id, title, ttlSeconds }: SignalSource): Signal {
  const outcomes = [...Object.keys(ttlSeconds), 'skipped', ...INDEFINITE_OUTCOMES];
  return {
    name: `providers.${id}.outcome`,
    type: 'string',
    from: 'service',
    presence: 'always',
    meaning: `How the call to ${title} ended: ${outcomes.map(code).join(', ')}.`,
  };
}

function toSuspect({ id, title }: SignalSource): Signal {
  return {
    name: `providers.${id}.suspect`,
    type: 'bool',
    from: 'service',
    presence: 'always',
    meaning: `${title} no longer finds any id, most likely because our URL, key or environment is wrong.`,
  };
}

function signalsOf(variable: string, schema: z.ZodObject, from: string): readonly Signal[] {
  return walk(
    { path: variable, from },
    null,
    z.toJSONSchema(schema, { target: 'draft-7', io: 'output' }) as JsonSchema,
  );
}

function walk(
  { path, from }: { readonly path: string; readonly from: string },
  parent: string | null,
  schema: JsonSchema,
): readonly Signal[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
    const name = `${path}.${key}`;
    const isRequired = schema.required?.includes(key) ?? false;
    const whenRequired = parent === null ? 'always' : `with ${code(parent)}`;
    const own = field.origin ?? from;
    const signal: Signal = {
      name,
      type: celTypeOf(field),
      from: own,
      presence: isRequired ? whenRequired : 'optional',
      meaning: field.description ?? '',
    };
    return [signal, ...walk({ path: name, from: own }, key, field)];
  });
}

function celTypeOf({ type = '', items }: JsonSchema): string {
  return type === 'array' && items ? `list<${celTypeOf(items)}>` : (CEL_TYPES[type] ?? '');
}
