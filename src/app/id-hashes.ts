import { hash } from 'node:crypto';
import type { CustodyHashes } from '../application/custody/custody.ts';
import type { RecordHashes } from '../application/decision-log/to-decision-record.ts';
import type { EvidenceSource } from '../application/evidence/evidence-source.ts';
import { networkOfAddress } from '../domain/ip-address.ts';
import { foldId, type SubjectPart } from '../domain/subject.ts';
import { createKeyedDigest, HASH_BYTES, type KeyedDigest, keyIdOf } from '../platform/keyed-hash.ts';
import { LazyLru, type Promotable } from '../platform/lazy-lru.ts';
import type { AppContext } from './context.ts';

interface IdHashesOptions {
  /** The hash keys, the one in force first. */
  readonly keys: readonly string[];
  /** The most ids whose hashes are remembered, at least 1. */
  readonly entriesMax: number;
  /** Those that are enabled. */
  readonly providers: readonly HashedProvider[];
}

interface HashedProvider {
  readonly id: string;
  /** The part of the subject that it is asked about. */
  readonly subject: SubjectPart;
  /** All that makes its answers another account's. */
  readonly settings: unknown;
}

type EvidenceKeys = Pick<EvidenceSource, 'keyOf' | 'olderKeysOf'>;

/** The hashes of ids for each of their purposes. None can be found again by another without the key. */
export interface IdHashes {
  /** Under each key, the one in force first. Those of one telemetry id begin with the same two digits. */
  readonly custody: readonly CustodyHashes[];
  /** Of the decision log, under each key, the one in force first. */
  readonly records: readonly RecordHashes[];
  /** The store keys of one provider's evidence. Throws for one that was not named. */
  evidenceKeysOf(provider: string): EvidenceKeys;
}

/** What one subscriber has of IPv6 addresses. */
const IPV6_NETWORK = { 4: 32, 6: 64 } as const;
/** Where in a digest the hash for each purpose begins. */
const EVIDENCE_AT = 0;
const CUSTODY_AT = HASH_BYTES;
const RECORD_AT = 2 * HASH_BYTES;
/** 64 bits: the accounts of one provider are told apart, not identifiers. */
const ACCOUNT_BYTES = 8;

/** The hashes of one id as one part of the subject; they never change. */
interface Row extends Promotable {
  readonly part: SubjectPart;
  /** The store key for each provider of the part, under the key in force. */
  readonly evidence: readonly string[];
  /** Under each key. */
  readonly custody: readonly string[];
  /** Under the key in force. */
  readonly record: string;
  /** The hashes of the same text as other parts. */
  readonly next: Row | undefined;
}

type Memo = LazyLru<Row>;

/**
 * Builds the hashes over one memo. One HMAC for each id and key serves all purposes: with one for each
 * purpose a decision about ids that are not in the memo costs three times as much.
 */
export function createIdHashes({ keys, entriesMax, providers }: IdHashesOptions): IdHashes {
  const memo: Memo = new LazyLru({ entriesMax });
  const createPart = (part: SubjectPart) =>
    new PartHashes(
      part,
      keys,
      providers.filter(({ subject }) => subject === part),
      memo,
    );
  const parts: Readonly<Record<SubjectPart, PartHashes>> = {
    telemetry_id: createPart('telemetry_id'),
    device_id: createPart('device_id'),
    ip: createPart('ip'),
    account_id: createPart('account_id'),
  };
  const { telemetry_id: telemetry, device_id: device, account_id: account, ip } = parts;
  return {
    custody: keys.map((_, place) => ({
      telemetry: (id) => telemetry.custodyOf(id, place),
      device: (id) => device.custodyOf(id, place),
      account: (id) => account.custodyOf(id, place),
    })),
    records: keys.map((key, place) => ({
      keyId: keyIdOf(key),
      telemetry: (id) => telemetry.recordOf(id, place),
      device: (id) => device.recordOf(id, place),
      account: (id) => account.recordOf(id, place),
      ip: (address) => ip.recordOf(address, place),
      network: (address) => ip.recordOf(networkOf(address), place),
    })),
    evidenceKeysOf: (provider) => {
      const { subject } = providers.find(({ id }) => id === provider) ?? refuse(`no provider ${provider}`);
      return parts[subject].evidenceKeysOf(provider);
    },
  };
}

/** The hashes for this configuration. The memo holds at least as many ids as the stores of a process do. */
export function hashIdsOf({ config, providers }: Pick<AppContext, 'config' | 'providers'>): IdHashes {
  const { cacheEntriesMax, custodyEntriesMax, idHashMemoEntriesMax } = config;
  return createIdHashes({
    keys: config.idHashKeys,
    entriesMax: idHashMemoEntriesMax ?? cacheEntriesMax + custodyEntriesMax,
    providers: providers.flatMap(({ id, subject }) =>
      config.providers
        .filter((own) => own.id === id && own.isEnabled)
        .map(({ settings }) => ({ id, subject, settings })),
    ),
  });
}

/** The hashes of one part of the subject: equal texts as two parts have unrelated hashes. */
class PartHashes {
  readonly #part: SubjectPart;
  readonly #digests: readonly KeyedDigest[];
  readonly #providers: readonly string[];
  /** What store keys begin with, for each key and provider. */
  readonly #prefixes: readonly (readonly string[])[];
  readonly #memo: Memo;
  /** A decision asks for the same ids several times in a row. */
  #latestText = '';
  #latest: Row | null = null;

  constructor(part: SubjectPart, keys: readonly string[], providers: readonly HashedProvider[], memo: Memo) {
    this.#part = part;
    this.#digests = keys.map((key) => createKeyedDigest(key, `hashes of ${part}`));
    this.#providers = providers.map(({ id }) => id);
    this.#prefixes = keys.map((key) => providers.map((provider) => evidencePrefix(key, provider)));
    this.#memo = memo;
  }

  custodyOf(id: string, place: number): string {
    return this.#of(id).custody[place] ?? refuse('no such hash key');
  }

  /** Only decisions fill the memo, and they use the key in force; others are looked for by readers. */
  recordOf(id: string, place: number): string {
    if (place === 0) return this.#of(id).record;
    const digest = this.#digests[place] ?? refuse('no such hash key');
    return cut(digest(this.#recordSpelling(id)), RECORD_AT);
  }

  evidenceKeysOf(provider: string): EvidenceKeys {
    const place = this.#providers.indexOf(provider);
    return {
      keyOf: (id) => this.#of(id).evidence[place] ?? refuse(`no provider ${provider}`),
      olderKeysOf: (id) =>
        this.#digests
          .map((digest, key) => this.#prefixes[key]?.[place] + cut(digest(id), EVIDENCE_AT))
          .slice(1),
    };
  }

  #of(text: string): Row {
    if (this.#latest !== null && text === this.#latestText) return this.#latest;
    const row = this.#recall(text) ?? this.#remember(text);
    this.#latestText = text;
    this.#latest = row;
    return row;
  }

  #recall(text: string): Row | undefined {
    let row = this.#memo.get(text);
    while (row !== undefined && row.part !== this.#part) row = row.next;
    return row;
  }

  #remember(text: string): Row {
    const digests = this.#digests.map((digest) => digest(text));
    const [inForce = refuse('there is no hash key')] = digests;
    if (this.#part === 'telemetry_id')
      for (const digest of digests) digest[CUSTODY_AT] = custodyGroupOf(text);
    const evidence = cut(inForce, EVIDENCE_AT);
    const row: Row = {
      part: this.#part,
      evidence: (this.#prefixes[0] ?? []).map((prefix) => prefix + evidence),
      custody: digests.map((digest) => cut(digest, CUSTODY_AT)),
      record: this.#toRecord(text, inForce),
      next: this.#memo.get(text),
      promotedAt: 0,
    };
    this.#memo.set(text, row);
    return row;
  }

  #toRecord(text: string, digest: Buffer): string {
    const spelled = this.#recordSpelling(text);
    return cut(spelled === text ? digest : (this.#digests[0]?.(spelled) ?? digest), RECORD_AT);
  }

  /**
   * Lists, activity and step-ups know a subject by its hash in the log. A provider may take `A1` for `a1`, so
   * that another spelling must not be another device there.
   */
  #recordSpelling(id: string): string {
    return this.#part === 'device_id' || this.#part === 'telemetry_id' ? foldId(id) : id;
  }
}

/** The network of an address in its canonical spelling; see RecordHashes. */
function networkOf(address: string): string {
  // An IPv4 address is a network of its own, under its own name.
  return address.includes(':') ? (networkOfAddress(address, IPV6_NETWORK) ?? address) : address;
}

/**
 * One upstream account has one key space: other settings or credentials must not meet the evidence of these.
 */
function evidencePrefix(key: string, { id, settings }: HashedProvider): string {
  const digest = createKeyedDigest(key, 'accounts of providers');
  const account = digest(`${id} ${JSON.stringify(settings)}`).toString('hex', 0, ACCOUNT_BYTES);
  return `${id}:${account}:`;
}

/**
 * Eight bits of an id that are the same under every key: the bindings of an id under all of them stand in one
 * slot of a cluster, where one script reaches them.
 */
function custodyGroupOf(id: string): number {
  return hash('sha256', id, 'buffer')[0] ?? 0;
}

function cut(digest: Buffer, from: number): string {
  return digest.toString('hex', from, from + HASH_BYTES);
}

function refuse(mistake: string): never {
  throw new RangeError(mistake);
}
