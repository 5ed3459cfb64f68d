import { LRUCache } from 'lru-cache';
import type { Clock } from '../../application/clock.ts';
import type { StepUpStore, SubjectHashes } from '../../application/step-up/step-up-store.ts';
import {
  type AddedStepUp,
  type FoundStepUp,
  type KeptStepUp,
  latestOf,
  STEP_UPS_MAX,
  type StepUp,
  type StepUpPart,
  type StepUpSubject,
  slotOf,
  toKeptStepUps,
  toldAt,
} from '../../domain/step-up/step-up.ts';
import { createForgottenKeys } from '../../platform/forgotten-keys.ts';
import { boundedTo } from '../../platform/lru-bound.ts';
import { createVoidTimes, type VoidTimes } from './void-times.ts';

interface MemoryStepUpStoreOptions {
  readonly clock: Clock;
  /** At least 1 telemetry id. That which was looked for longest ago makes room for another. */
  readonly entriesMax?: number;
  /** At least 1 part of subjects whose step-ups were ended. */
  readonly voidsMax?: number;
}

/** The step-ups of one telemetry id. */
interface Entry {
  /** Null until one is given with the telemetry id. */
  account: string | null;
  readonly devices: Set<string>;
  readonly bySlot: Map<string, StepUp>;
  /** Monotonic milliseconds: a wall clock that jumps must not prolong a life. */
  untilMs: number;
}

/** At about 500 bytes an entry this is 50 MB. */
const ENTRIES_MAX = 100_000;

/** The in-process store: it serves a single replica, and a restart forgets everything. */
interface MemoryStepUpStore extends StepUpStore {
  find(subject: StepUpSubject): FoundStepUp;
}

/**
 * Builds an empty store, bounded by `entriesMax`. A telemetry id whose step-ups had to make room is unknown
 * until they would have run out.
 */
export function createMemoryStepUpStore(options: MemoryStepUpStoreOptions): MemoryStepUpStore {
  return new LruStepUpStore(options);
}

class LruStepUpStore implements MemoryStepUpStore {
  readonly #clock: Clock;
  readonly #entries: LRUCache<string, Entry>;
  readonly #forgotten = createForgottenKeys();
  readonly #voids: VoidTimes;

  constructor({ clock, entriesMax = ENTRIES_MAX, voidsMax = ENTRIES_MAX }: MemoryStepUpStoreOptions) {
    this.#clock = clock;
    this.#voids = createVoidTimes(clock, voidsMax);
    this.#entries = new LRUCache({
      ...boundedTo(entriesMax),
      dispose: (entry, telemetry, reason) => {
        const nowMs = clock.monotonicMs();
        if (reason === 'evict' && entry.untilMs > nowMs) this.#forgotten.add(telemetry, entry.untilMs, nowMs);
      },
    });
  }

  mayHave(telemetry: string): boolean {
    return this.#entries.has(telemetry) || this.#forgotten.mayHave(telemetry, this.#clock.monotonicMs());
  }

  find(subject: StepUpSubject): FoundStepUp {
    const { telemetry, account } = subject;
    const nowMs = this.#clock.monotonicMs();
    const entry = this.#entries.get(telemetry);
    if (entry !== undefined && nowMs < entry.untilMs) {
      if (isAnothers(entry, account)) this.#end(telemetry, 0);
      const stepUp = this.#entries.peek(telemetry)?.bySlot.get(slotOf(subject));
      if (stepUp !== undefined) return stepUp;
    }
    return this.#forgotten.mayHave(telemetry, nowMs) ? 'unknown' : 'none';
  }

  async add(subject: StepUpSubject, stepUp: StepUp, lifeMs: number): Promise<AddedStepUp> {
    const { telemetry, account, devices } = subject;
    const nowMs = this.#clock.monotonicMs();
    const held = this.#entries.get(telemetry);
    const isOwn = held !== undefined && nowMs < held.untilMs && !isAnothers(held, account);
    if (!isOwn) this.#end(telemetry, 0);
    if (toldAt(stepUp) <= this.#voidUntil(subject)) return 'void';
    const entry: Entry = isOwn ? held : { account, devices: new Set(), bySlot: new Map(), untilMs: 0 };
    const slot = slotOf(subject);
    if ((entry.bySlot.get(slot)?.atMs ?? 0) > stepUp.atMs) return 'kept';
    entry.bySlot.set(slot, stepUp);
    for (const device of devices) entry.devices.add(device);
    if (entry.bySlot.size > STEP_UPS_MAX) dropOldest(entry.bySlot);
    entry.untilMs = Math.max(entry.untilMs, nowMs + lifeMs);
    if (!isOwn) this.#entries.set(telemetry, entry);
    return 'kept';
  }

  async kept(part: StepUpPart, hash: string): Promise<readonly KeptStepUp[]> {
    const nowMs = this.#clock.monotonicMs();
    const own = part === 'telemetry' ? this.#entries.peek(hash) : undefined;
    const entries =
      part === 'telemetry' ? (own === undefined ? [] : [[hash, own] as const]) : this.#entries.entries();
    const kept: KeptStepUp[] = [];
    for (const [telemetry, entry] of entries) {
      const { account, devices, bySlot, untilMs } = entry;
      const isOf = part === 'telemetry' || account === hash || devices.has(hash);
      if (isOf && nowMs < untilMs) kept.push(...toKeptStepUps(telemetry, account, bySlot));
    }
    return latestOf(kept, part, hash);
  }

  async forget({ telemetry, devices, accounts }: SubjectHashes, voidUntilMs: number | null): Promise<number> {
    if (voidUntilMs !== null)
      for (const hash of [...telemetry, ...devices, ...accounts]) this.#voids.note(hash, voidUntilMs);
    const ended = new Set(telemetry.filter((hash) => this.#entries.has(hash)));
    if (devices.length > 0 || accounts.length > 0) {
      for (const [hash, entry] of this.#entries.entries()) {
        const isOf = accounts.includes(entry.account ?? '') || devices.some((one) => entry.devices.has(one));
        if (isOf) ended.add(hash);
      }
    }
    for (const hash of ended) this.#end(hash, voidUntilMs);
    return ended.size;
  }

  async voidUntil(subject: StepUpSubject): Promise<number> {
    return this.#voidUntil(subject);
  }

  #voidUntil({ telemetry, devices, account }: StepUpSubject): number {
    return this.#voids.until(account === null ? [telemetry, ...devices] : [telemetry, ...devices, account]);
  }

  /** Ends the step-ups of a telemetry id: told again, each of them is void, but for null. */
  #end(telemetry: string, voidUntilMs: number | null): void {
    const entry = this.#entries.peek(telemetry);
    if (entry === undefined) return;
    if (voidUntilMs !== null)
      this.#voids.note(telemetry, Math.max(voidUntilMs, ...Array.from(entry.bySlot.values(), toldAt)));
    this.#entries.delete(telemetry);
  }
}

/** Notes the first account that is given. */
function isAnothers(entry: Entry, account: string | null): boolean {
  if (account === null) return false;
  entry.account ??= account;
  return entry.account !== account;
}

/** The step-up that was completed longest ago. */
function dropOldest(bySlot: Map<string, StepUp>): void {
  let oldest = '';
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const [slot, { atMs }] of bySlot) {
    if (atMs >= oldestMs) continue;
    oldest = slot;
    oldestMs = atMs;
  }
  bySlot.delete(oldest);
}
