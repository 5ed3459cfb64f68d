import { z } from 'zod';
import type { GivenEntry } from '../../application/lists/change-lists.ts';
import { LIST_KNOWLEDGE } from '../../application/lists/list-store.ts';
import { listEntrySchema } from '../../domain/decision-log/event-record.ts';
import { NOTE_CHARS_MAX } from '../../domain/lists/list-entry.ts';
import type { ListPart } from '../../domain/lists/list-part.ts';
import type { JsonSchema } from './json-schema.ts';

const identifier = z.string().min(1).max(256);
const hashed = 'Hashed at once and kept nowhere; or its keyed hash as the log shows it, after a `#`.';

/** The fields that name a value, by their parts. Exactly one of them is given. */
export const VALUE_FIELDS = {
  device_id: 'device',
  account_id: 'account',
  telemetry_id: 'telemetry',
  ip: 'ip',
  visitor: 'visitor',
  asn: 'asn',
  country: 'country',
} as const satisfies Record<string, ListPart>;

type ValueField = keyof typeof VALUE_FIELDS;
const FIELDS = Object.keys(VALUE_FIELDS) as ValueField[];

/** The body of PUT /v1/lists/{list}/entries, and a line of an import. */
export const putEntrySchema = z.strictObject({
  device_id: identifier.optional().describe(hashed),
  account_id: identifier.optional().describe(hashed),
  telemetry_id: identifier.optional().describe(hashed),
  ip: identifier
    .optional()
    .describe(
      `An address, or a network such as 203.0.113.0/24. A single address, and the /64 of IPv6, which a subscriber has, are identifiers: ${hashed.toLowerCase()} A wider network is kept as it is.`,
    ),
  visitor: identifier.optional().describe(`A visitor fingerprint. ${hashed}`),
  asn: z.int().min(1).max(4_294_967_295).optional().describe('The number of an autonomous system.'),
  country: z.string().min(2).max(2).optional().describe('ISO 3166-1 alpha-2.'),
  hash_key: z
    .string()
    .max(64)
    .nullable()
    .optional()
    .describe(
      'The id of the hash key of a hash (`subject.hash_key` in records). Needed where several are in use.',
    ),
  expires_at: z
    .string()
    .max(40)
    .nullable()
    .optional()
    .describe('When the entry ends; never otherwise.')
    .meta({ format: 'date-time' }),
  note: z
    .string()
    .max(NOTE_CHARS_MAX)
    .nullable()
    .optional()
    .describe('For people. No identifiers: what looks like one is refused.'),
});

/** The checked body. */
export type PutEntryBody = z.output<typeof putEntrySchema>;

/** The answer to a put. */
export const putAnswerSchema = z.object({
  list: z.string(),
  entry: listEntrySchema,
  replaced: z.boolean().describe('The list had an entry of this value.'),
  former: listEntrySchema
    .nullable()
    .describe('That entry, to be put again by whoever takes the change back.'),
});

/** The query of GET /v1/lists/{list}/entries. */
export const entriesQuerySchema = z.strictObject({
  limit: z
    .string()
    .regex(/^([1-9]\d?|[1-4]\d\d|500)$/)
    .optional()
    .describe('At most 500; 100 otherwise.'),
  cursor: z
    .string()
    .regex(/^r[0-9a-z]{1,10}$/)
    .optional()
    .describe('The `next_cursor` of the page before.'),
});

/** One page of a list. */
export const entriesSchema = z.object({
  list: z.string(),
  entries: z
    .array(listEntrySchema)
    .describe('In an order that stays the same. A page can hold fewer than its limit and have a next one.'),
  next_cursor: z.string().nullable(),
});

/** The answer of GET /v1/lists. */
export const listsSchema = z.object({
  lists: z.array(
    z.object({
      list: z.string(),
      entries: z.int().describe('How many there are; expired ones are counted for up to a minute.'),
      in_policy: z
        .boolean()
        .describe('The policy in force names it. Others have no effect, and take no entries.'),
    }),
  ),
  knowledge: z.enum(LIST_KNOWLEDGE).describe('How well this replica knows the lists.'),
});

/** The path parameters. */
export function toListParams(withEntry: boolean): JsonSchema {
  const list = { type: 'string', description: 'The name of a list, as the policy names it.' };
  const entry = { type: 'string', description: 'The `id` of an entry.' };
  return {
    type: 'object',
    properties: withEntry ? { list, entry_id: entry } : { list },
    required: withEntry ? ['list', 'entry_id'] : ['list'],
  };
}

/** The field of a body that names its value; null unless there is exactly one. */
export function valueFieldOf(body: PutEntryBody): ValueField | null {
  const given = FIELDS.filter((field) => body[field] !== undefined);
  return given.length === 1 ? (given[0] ?? null) : null;
}

/** A checked body whose value `field` names. */
export function toGivenEntry(body: PutEntryBody, field: ValueField): GivenEntry {
  const { hash_key: keyId = null, expires_at: expiresAt = null, note = null } = body;
  return {
    value: { part: VALUE_FIELDS[field], text: String(body[field]), keyId },
    expiresAtMs: expiresAt === null ? null : Date.parse(expiresAt),
    note,
  };
}

/** What a caller reads who gave none or several. */
export const ONE_VALUE = `Give exactly one of ${FIELDS.join(', ')}.`;
