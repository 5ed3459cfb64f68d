import { z } from 'zod';
import { DURATION_MISTAKE, toSeconds } from './duration.ts';

/** The types of parameters. A duration is read as its whole seconds, as signals in seconds are. */
const PARAMETER_TYPES = [
  'int',
  'double',
  'string',
  'bool',
  'duration',
  'list<int>',
  'list<double>',
  'list<string>',
] as const;

type ParameterType = (typeof PARAMETER_TYPES)[number];

/** As long as the texts of signals. */
const TEXT_CHARS_MAX = 256;
/** As many as the literal lists of conditions. */
const LIST_ITEMS_MAX = 1000;
const PARAMETERS_MAX = 200;

const int = z.int('must be an integer');
const double = z.number('must be a number');
const text = z.string('must be a text').max(TEXT_CHARS_MAX, `must be at most ${TEXT_CHARS_MAX} characters`);
const listOf = (item: z.ZodType) =>
  z.array(item, 'must be a list').max(LIST_ITEMS_MAX, `must be at most ${LIST_ITEMS_MAX} items`);

const values: Readonly<Record<ParameterType, z.ZodType>> = {
  int,
  double,
  string: text,
  bool: z.boolean('must be true or false'),
  duration: z
    .string(DURATION_MISTAKE)
    .refine((duration) => toSeconds(duration) !== null, { message: DURATION_MISTAKE }),
  'list<int>': listOf(int),
  'list<double>': listOf(double),
  'list<string>': listOf(text),
};

/** One parameter of a policy file. */
const parameterSchema = z
  .strictObject({
    type: z.enum(PARAMETER_TYPES).describe('A duration is read as its whole seconds.'),
    value: z.unknown().describe('A value of this type; a duration as `90s`, `30m`, `24h` or `7d`.'),
    description: z.string().max(1024).optional(),
  })
  .superRefine(({ type, value }, context) => {
    for (const issue of values[type].safeParse(value).error?.issues ?? [])
      context.addIssue({ code: 'custom', path: ['value', ...issue.path], message: issue.message });
  });

const parameterName = z
  .string()
  .regex(
    /^[a-z][a-z0-9_]{0,63}$/,
    'must be lower case letters, digits and underscores, at most 64, and begin with a letter',
  );

/** The constants of a policy, by name: conditions read them as `params.<name>`. */
export const parametersSchema = z
  .record(parameterName, parameterSchema)
  .refine((parameters) => Object.keys(parameters).length <= PARAMETERS_MAX, {
    message: `must be at most ${PARAMETERS_MAX}`,
  });

/** The parameters of one policy while its rules are compiled. */
export interface Parameters {
  /** Every name in the file, with its value as the text of a CEL literal; null where it has a mistake. */
  readonly literals: ReadonlyMap<string, string | null>;
  /** The names that something has read so far. */
  readonly read: Set<string>;
}

/** The parameters in a document of any shape; their mistakes are found by `parametersSchema`. */
export function readParameters(document: unknown): Parameters {
  const given: unknown = Reflect.get(Object(document), 'parameters');
  const named = typeof given === 'object' && given !== null ? Object.entries(given) : [];
  const entries = named.map(([name, parameter]) => {
    const parsed = parameterSchema.safeParse(parameter);
    return [name, parsed.success ? toLiteral(parsed.data) : null] as const;
  });
  return { literals: new Map(entries), read: new Set() };
}

/** The names of the parameters that nothing reads: to change their values would change nothing. */
export function unreadParameters({ literals, read }: Parameters): readonly string[] {
  return [...literals.keys()].filter((name) => !read.has(name));
}

/** In parentheses, so that a negative number can stand after an operator. */
function toLiteral({ type, value }: z.output<typeof parameterSchema>): string {
  if (type === 'duration') return `(${toSeconds(String(value))})`;
  if (Array.isArray(value)) return `[${value.map((item) => literalOf(item, type)).join(', ')}]`;
  return `(${literalOf(value, type)})`;
}

function literalOf(value: unknown, type: ParameterType): string {
  const written = JSON.stringify(value);
  const isDouble = type === 'double' || type === 'list<double>';
  // CEL reads a number without a point or an exponent as an integer.
  return isDouble && Number.isInteger(value) ? `${BigInt(Number(value))}.0` : written;
}
