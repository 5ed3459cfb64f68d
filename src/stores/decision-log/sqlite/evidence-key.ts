import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { EvidenceParts } from './evidence-block.ts';
import { EvidenceBlocks } from './evidence-blocks.ts';
import { EVIDENCE_BLOCKS_VERSION, evidenceSaltOf } from './segment-file.ts';

const KEY_BYTES = 16;

/** The hash of the content of evidence with the salt of its file, in hex digits. */
export function digestOf({ form, numbers, hashes }: EvidenceParts, salt: string): string {
  return digestOfText(form, JSON.stringify(numbers), hashes, salt);
}

function digestOfText(form: number, numbers: string, hashes: string, salt = ''): string {
  return hash('sha256', `${salt}${form} ${numbers} ${hashes}`);
}

/**
 * How evidence is found by the hash of its content: by its first 64 bits. Two of a million pieces have the same by
 * chance in one of 30 million files. Whoever chooses what evidence says could find two such pieces in minutes, did the
 * hash not begin with a salt that is known to the file alone.
 */
export function toKeyNumber(digest: string): bigint {
  return BigInt.asIntN(64, BigInt(`0x${digest.slice(0, 16)}`));
}

/** How a form is found. */
export function toFormKey(form: string): Buffer {
  return toKey(hash('sha256', form));
}

/**
 * How much evidence, and how many forms, in a schema of the database, whose tables have a version, are not under the
 * hash of what they are.
 */
export function countWrongKeys(db: DatabaseSync, schema: string, version: number): number {
  let count = 0;
  const forms = db.prepare(`SELECT key, text FROM ${schema}.forms`);
  for (const { key, text } of forms.iterate()) if (!isKey(key, hash('sha256', String(text)))) count += 1;
  if (version < EVIDENCE_BLOCKS_VERSION) return count + countEarlier(db, schema);
  const blocks = new EvidenceBlocks(db, schema);
  const salt = evidenceSaltOf(db, schema);
  const keys = db.prepare(`SELECT key, id FROM ${schema}.evidence_keys`);
  keys.setReadBigInts(true);
  for (const { key, id } of keys.iterate()) {
    const parts = blocks.find(Number(id))?.parts();
    if (parts === undefined || toKeyNumber(digestOf(parts, salt)) !== key) count += 1;
  }
  return count;
}

function countEarlier(db: DatabaseSync, schema: string): number {
  let count = 0;
  const evidence = db.prepare(`SELECT key, form, numbers, hashes FROM ${schema}.evidence`);
  for (const { key, form, numbers, hashes } of evidence.iterate()) {
    const digits = hashes instanceof Uint8Array ? Buffer.from(hashes).toString('hex') : '';
    if (!isKey(key, digestOfText(Number(form), String(numbers), digits))) count += 1;
  }
  return count;
}

function isKey(key: unknown, digest: string): boolean {
  return key instanceof Uint8Array && toKey(digest).compare(key) === 0;
}

function toKey(digest: string): Buffer {
  return Buffer.from(digest.slice(0, 2 * KEY_BYTES), 'hex');
}
