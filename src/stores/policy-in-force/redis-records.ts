import { hash as digest } from 'node:crypto';
import { z } from 'zod';
import type { PolicyWithText } from '../../application/policy-in-force/policy-store.ts';
import {
  hashesOf,
  NO_POLICY,
  POLICY_CAUSES,
  type PolicyRecord,
} from '../../domain/policy-in-force/policy-record.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withPolicyScripts } from './redis-script.ts';

const entrySchema = z.object({
  id: z.string(),
  hash: z.string(),
  sinceMs: z.number(),
  by: z.string().nullable(),
  why: z.enum(POLICY_CAUSES),
  previousHash: z.string().nullable(),
});
const stateSchema = z.object({
  inForce: entrySchema.nullable(),
  rollout: z.object({ id: z.string(), hash: z.string(), part: z.json() }).nullable(),
  history: z.array(entrySchema),
  // What an earlier version wrote has neither.
  aborted: z.array(z.object({ hash: z.string(), atMs: z.number(), by: z.string().nullable() })).default([]),
  changeIds: z.array(z.string()).default([]),
});

/** What was read: a record, and the number of its latest change; empty where nothing is there. */
export interface Read {
  readonly version: string;
  readonly record: PolicyRecord;
}

/** Of a Redis that has nothing. */
export const NOTHING: Read = { version: '', record: NO_POLICY };

/** What is to be written. */
export interface Write {
  readonly record: PolicyRecord;
  /** The texts that it adds. */
  readonly policies: readonly Pick<PolicyWithText, 'hash' | 'text'>[];
  /** Whether it is a change of what is in force. */
  readonly rises: boolean;
}

/** Reads and writes records in Redis. What fails or is late is null; nothing rejects. */
export interface RedisRecords {
  /** The number of the latest change, how many texts there are, and the time by Redis, Unix milliseconds. */
  look(): Promise<readonly [version: string, texts: number, nowMs: number] | null>;
  /** `unreadable` where this version does not understand what is there. */
  read(): Promise<Read | 'unreadable' | null>;
  /** A text, which is null where it is not there, or is not the one of the hash. */
  readText(hash: string): Promise<{ readonly text: string | null } | null>;
  /**
   * Writes what comes of a reading, and removes the texts that it needs no more. Its version will be above the one
   * that is known. It is empty where somebody else has written since.
   */
  write(read: Read, write: Write, knownVersion: string): Promise<string | null>;
  writeTexts(texts: ReadonlyMap<string, string>): Promise<void>;
}

/** Builds what does it. */
export function createRedisRecords(redis: RedisHandle): RedisRecords {
  const { guard, keys } = redis;
  const [stateKey, textsKey] = [keys.policyState, keys.policyTexts];
  const client = withPolicyScripts(redis);
  return {
    look: () => guard.run(() => client.lookAtPolicies(stateKey, textsKey)),
    read: async () => {
      const fields = await guard.run(() => client.hmget(stateKey, 'version', 'revision', 'state'));
      if (fields === null) return null;
      const [version, revision, text] = fields;
      if (typeof version !== 'string') return NOTHING;
      const state = parseState(text ?? '');
      return state === null ? 'unreadable' : { version, record: { revision: Number(revision), ...state } };
    },
    readText: async (hash) => {
      const found = await guard.run(async () => ({ text: await client.hget(textsKey, hash) }));
      if (found === null || found.text === null) return found;
      return `sha256:${digest('sha256', found.text)}` === hash ? found : { text: null };
    },
    write: async (read, { record, policies, rises }, knownVersion) => {
      const needed = hashesOf(record);
      const dropped = [...hashesOf(read.record)].filter((hash) => !needed.has(hash));
      const { revision, ...state } = record;
      const written = await guard.run(() =>
        client.writePolicies(
          stateKey,
          textsKey,
          read.version,
          knownVersion,
          rises ? '' : revision,
          JSON.stringify(state),
          dropped.length,
          ...dropped,
          ...policies.flatMap(({ hash, text }) => [hash, text]),
        ),
      );
      return written && (written[0] ?? '');
    },
    writeTexts: async (texts) => {
      if (texts.size > 0) await guard.run(() => client.hset(textsKey, new Map(texts)));
    },
  };
}

/** Null for what no replica wrote. */
function parseState(text: string): Omit<PolicyRecord, 'revision'> | null {
  try {
    return stateSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    // A SyntaxError: it is no JSON.
    return null;
  }
}
