import type {
  ChangeResult,
  PolicyChange,
  PolicyKnowledge,
  PolicyState,
  PolicyStore,
  PolicyWithText,
} from '../../application/policy-in-force/policy-store.ts';
import { RiskgateError } from '../../domain/errors.ts';
import {
  laterRecord,
  NO_POLICY,
  type PolicyEntry,
  type PolicyRecord,
  rememberPolicy,
} from '../../domain/policy-in-force/policy-record.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { lookRepeatedly, type RepeatedLook } from '../redis/repeated-look.ts';
import { createRedisRecords, NOTHING, type Read, type RedisRecords, type Write } from './redis-records.ts';
import { applyChange, toState, withoutText } from './to-state.ts';

/**
 * `lost`: Redis has forgotten what was in force; `restored`: this process has written it back. `unreadable`: it
 * has what this version does not understand, and leaves as it is.
 */
export interface RedisPolicyEvent {
  readonly kind: 'lost' | 'restored' | 'unreadable';
  /** The hash of what overrules the files; null where they count. */
  readonly in_force: string | null;
}

interface RedisPolicyOptions {
  /** Its owner closes it. */
  readonly redis: RedisHandle;
  readonly onEvent: (event: RedisPolicyEvent) => void;
  readonly lookIntervalMs?: number;
}

/** So often is Redis asked whether something has changed: all replicas obey well within a second. */
const LOOK_INTERVAL_MS = 250;
/** A Redis that has nothing is believed after so many looks: whoever knows more has written it back by then. */
const EMPTY_LOOKS = 3;
/** Somebody else changes something between a reading and a writing. */
const ATTEMPTS_MAX = 8;

/**
 * What is in force, for all replicas. Each asks Redis several times a second for the number of the latest change,
 * and reads all when it is another. A Redis that is lost leaves what is known; to one that has lost changes they
 * are written back by each that knows them.
 */
export function createRedisPolicyStore(options: RedisPolicyOptions): PolicyStore {
  return new RedisPolicyStore(options);
}

class RedisPolicyStore implements PolicyStore {
  readonly place = 'redis';
  readonly firstRead: Promise<void>;
  readonly #onFirstRead: () => void;
  readonly #options: RedisPolicyOptions;
  readonly #records: RedisRecords;
  readonly #listeners: (() => void)[] = [];
  /** Of what is in force and beside it. */
  readonly #texts = new Map<string, string>();
  #known: Read = NOTHING;
  #state: PolicyState = toState(NO_POLICY, this.#texts);
  #knowledge: PolicyKnowledge = 'loading';
  #emptyLooks = 0;
  /** The time by Redis at the latest look, and when that was by the clock that only rises. */
  #time = { redisMs: 0, atMs: 0 };
  /** What was told last, and is not over. */
  #told: RedisPolicyEvent['kind'] | null = null;

  readonly #looks: RepeatedLook;

  constructor(options: RedisPolicyOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    [this.firstRead, this.#onFirstRead] = [promise, resolve];
    this.#records = createRedisRecords(options.redis);
    const intervalMs = options.lookIntervalMs ?? LOOK_INTERVAL_MS;
    this.#looks = lookRepeatedly(options.redis, () => this.#look(), intervalMs);
  }

  knowledge(): PolicyKnowledge {
    return this.#knowledge;
  }

  state(): PolicyState {
    return this.#state;
  }

  clock() {
    const { redisMs, atMs } = this.#time;
    return {
      nowMs: Math.floor(redisMs + performance.now() - atMs),
      changedAtMs: this.#known.record.revision,
    };
  }

  async change(change: PolicyChange, expectedRevision: number): Promise<ChangeResult> {
    const result = await this.#write((record) => {
      if (record.revision !== expectedRevision) return null;
      return { ...applyChange(record, change), rises: true };
    });
    await this.#looks.now();
    return result === 'nothing' ? 'changed' : result;
  }

  async note(policy: PolicyEntry & PolicyWithText, id: string): Promise<boolean> {
    const result = await this.#write((record) => {
      const noted = rememberPolicy(record, withoutText(policy), id);
      return noted && { record: noted, policies: [policy], rises: false };
    });
    if (result === 'kept') await this.#looks.now();
    return result === 'kept';
  }

  async find(hash: string): Promise<string | null> {
    const known = this.#texts.get(hash);
    if (known !== undefined) return known;
    const found = await this.#records.readText(hash);
    if (found === null)
      throw new RiskgateError('store_unavailable', 'The text of a policy cannot be read.', {
        retryAfterSeconds: 1,
      });
    return found.text;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  close(): Promise<void> {
    return this.#looks.close();
  }

  async #look(): Promise<void> {
    const looked = await this.#records.look();
    if (looked === null) return this.#setUnread();
    const [version, textCount, redisMs] = looked;
    this.#time = { redisMs, atMs: performance.now() };
    if (version === this.#known.version) {
      if (textCount === 0) await this.#records.writeTexts(this.#texts);
      else if (!(await this.#findLostTexts())) return this.#setUnread();
    } else {
      const read = await this.#records.read();
      if (read === 'unreadable') this.#report('unreadable');
      if (read === null || read === 'unreadable' || !(await this.#adopt(read))) return this.#setUnread();
      this.#told = null;
    }
    this.#onFirstRead();
    this.#emptyLooks = this.#known.version === '' ? this.#emptyLooks + 1 : EMPTY_LOOKS;
    if (this.#emptyLooks >= EMPTY_LOOKS) this.#setKnowledge('known');
  }

  /** Takes what was read, or writes back what is later. False where that could not be done. */
  async #adopt(read: Read): Promise<boolean> {
    const { record } = this.#known;
    if (read.record.revision < record.revision || isForgotten(record, read.record))
      return this.#writeBack(read);
    if (!(await this.#readTexts(read.record))) return false;
    this.#set(read);
    return true;
  }

  /** Reads those that are not known. False where that could not be done. */
  async #readTexts({ inForce, rollout }: PolicyRecord): Promise<boolean> {
    for (const hash of [inForce?.hash, rollout?.hash]) {
      if (hash === undefined || this.#texts.has(hash)) continue;
      const found = await this.#records.readText(hash);
      if (found === null) return false;
      if (found.text !== null) this.#texts.set(hash, found.text);
    }
    return true;
  }

  /** Takes texts that were lost when the state was read, and that somebody has written back. Otherwise as above. */
  async #findLostTexts(): Promise<boolean> {
    const before = this.#texts.size;
    if (!(await this.#readTexts(this.#known.record))) return false;
    if (this.#texts.size > before) this.#set(this.#known);
    return true;
  }

  async #writeBack(read: Read): Promise<boolean> {
    const record = laterRecord(this.#known.record, read.record);
    this.#report('lost');
    const policies = [...this.#texts].map(([hash, text]) => ({ hash, text }));
    const write = { record, policies, rises: false };
    const version = await this.#records.write(read, write, this.#known.version);
    if (version === null || version === '') return false;
    this.#set({ version, record });
    this.#report('restored');
    return true;
  }

  /** Reads, and writes what comes of it, again where somebody was faster. `nothing` where nothing is to be done. */
  async #write(next: (record: PolicyRecord) => Write | null): Promise<'kept' | 'unknown' | 'nothing'> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      await this.#looks.now();
      if (this.#knowledge !== 'known') return 'unknown';
      const known = this.#known;
      const write = next(known.record);
      if (write === null) return 'nothing';
      const version = await this.#records.write(known, write, known.version);
      if (version === null) return 'unknown';
      if (version !== '') return 'kept';
    }
    return 'unknown';
  }

  #set(read: Read): void {
    this.#known = read;
    const { inForce, rollout } = read.record;
    for (const hash of this.#texts.keys())
      if (hash !== inForce?.hash && hash !== rollout?.hash) this.#texts.delete(hash);
    this.#state = toState(read.record, this.#texts);
    this.#tell();
  }

  /** Once for each. */
  #report(kind: RedisPolicyEvent['kind']): void {
    if (kind !== this.#told)
      this.#options.onEvent({ kind, in_force: this.#known.record.inForce?.hash ?? null });
    this.#told = kind;
  }

  #setUnread(): void {
    this.#setKnowledge(this.#knowledge === 'loading' ? 'loading' : 'stale');
  }

  #setKnowledge(knowledge: PolicyKnowledge): void {
    if (knowledge === this.#knowledge) return;
    this.#knowledge = knowledge;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Whether a store that has as much of what is in force has lost what was. */
function isForgotten(known: PolicyRecord, found: PolicyRecord): boolean {
  return known.history.length > 0 && found.history.length === 0;
}
