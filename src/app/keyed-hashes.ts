import { hash } from 'node:crypto';
import type { CustodyHashes } from '../application/custody/custody.ts';
import type { RecordHashes } from '../application/decision-log/to-decision-record.ts';
import { createKeyedHash, keyIdOf } from '../platform/keyed-hash.ts';

/** Hex digits of a group of bindings; see custodyGroupOf. */
const GROUP_CHARS = 2;

/**
 * The hashes of custody under each key, the one in force first. One purpose each, and none of them that of
 * evidence: what Redis holds of an id in one place cannot be found again in another.
 */
export function createCustodyHashes(keys: readonly string[]): readonly CustodyHashes[] {
  return keys.map((key) => {
    const telemetry = createKeyedHash(key, 'custody of telemetry_id');
    return {
      telemetry: (id) => custodyGroupOf(id) + telemetry(id).slice(GROUP_CHARS),
      device: createKeyedHash(key, 'custody by device_id'),
      account: createKeyedHash(key, 'custody by account_id'),
    };
  });
}

/**
 * Eight bits of an id that are the same under every key: the bindings of an id under all of them stand in one
 * slot of a cluster, where one script reaches them.
 */
function custodyGroupOf(id: string): string {
  return hash('sha256', id).slice(0, GROUP_CHARS);
}

/**
 * The hashes of the decision log under each key, the one in force first. None of their purposes is that of
 * evidence or custody.
 */
export function createRecordHashes(keys: readonly string[]): readonly RecordHashes[] {
  return keys.map((key) => ({
    keyId: keyIdOf(key),
    telemetry: createKeyedHash(key, 'decision log of telemetry_id'),
    device: createKeyedHash(key, 'decision log of device_id'),
    account: createKeyedHash(key, 'decision log of account_id'),
  }));
}
