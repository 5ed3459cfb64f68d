import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import type { PolicyEntry } from '../../domain/policy-in-force/policy-record.ts';
import type { Result } from '../../domain/result.ts';
import type { Clock } from '../clock.ts';
import type { PolicyStore, Rollout } from './policy-store.ts';

/**
 * Why this process judges by the policy it judges by. `file`: by that of its file, since nothing overrules it.
 * `put`: by what was put in force for all replicas. `refused`: something was, and cannot be used here, so that an
 * older one stays. `unknown`: it could not be read yet whether something was, so that the file counts. `stale`:
 * it cannot be read at the moment, and others may have changed it.
 */
export const POLICY_STATES = ['file', 'put', 'refused', 'unknown', 'stale'] as const;

/** One of them. */
type PolicyInForceState = (typeof POLICY_STATES)[number];

/** How this process stands to what replicas agree on. */
export interface PolicyStatus {
  readonly state: PolicyInForceState;
  /** What overrules the files by what was last heard, also where it is refused here; null where files count. */
  readonly put: PolicyEntry | null;
  /** The file of this process has another policy than the one that it judges by. */
  readonly fileDiffers: boolean;
}

/** The policy that a process judges by. */
export interface PolicyInForce {
  /** The same object until another one is in force; each answer is made by one of them and names its hash. */
  policy(): CompiledPolicy;
  /**
   * The policy that was put beside it, compiled, with what was said of it. It changes in one step with `policy()`.
   * Null where there is none, and where it cannot be used here, which was told to `onRefused`.
   */
  rollout(): PreparedRollout | null;
  /** Whether one was put, and cannot be used here. */
  isRolloutRefused(): boolean;
  status(): PolicyStatus;
  /** Ends when what was last heard is in force here, or is refused. */
  settled(): Promise<void>;
  /** To be called when the file has another policy. */
  fileChanged(): void;
}

/** A policy beside the one in force, ready to judge. */
interface PreparedRollout {
  readonly policy: CompiledPolicy;
  readonly rollout: Rollout;
}

interface PolicyInForceOptions {
  readonly store: PolicyStore;
  /** The policy of the file of this process. */
  readonly file: () => CompiledPolicy;
  /** A policy that is compiled already, by its hash. */
  readonly find: (hash: string) => CompiledPolicy | null;
  /** Checks and compiles a text, or gives every mistake in it. Never rejects. */
  readonly compile: (text: string) => Promise<Result<CompiledPolicy, string>>;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** An id that nothing else has. */
  readonly newId: () => string;
  /** This process judges by another policy than before, by a change that `put` tells; null where files count again. */
  readonly onTaken: (policy: CompiledPolicy, put: PolicyEntry | null) => void;
  /** A policy that was put in force, or beside it, cannot be used here. Once for each. */
  readonly onRefused: (
    policy: { readonly id: string; readonly hash: string },
    mistakes: readonly string[],
    place: 'in_force' | 'beside',
  ) => void;
  /** The file has changed, and something else stays in force. */
  readonly onFileDiffers: (file: CompiledPolicy, put: PolicyEntry) => void;
  /** The file of this process came into force after another one, which is to be recorded. Never rejects. */
  readonly onNoted: (file: CompiledPolicy, previousHash: string) => void;
}

/** What a process judges by. */
interface Taken {
  readonly put: CompiledPolicy | null;
  readonly rollout: PreparedRollout | null;
  /** Something was put beside, and cannot be used here. */
  readonly isRolloutRefused: boolean;
}

/** A file that changes while Redis is lost is tried again and again; the oldest goes. */
const NOTES_MAX = 16;

const NOTHING: Taken = { put: null, rollout: null, isRolloutRefused: false };

/** Follows what replicas agree on: a policy that was put in force overrules the file of this process. */
export function createPolicyInForce(options: PolicyInForceOptions): PolicyInForce {
  return new FollowedPolicy(options);
}

class FollowedPolicy implements PolicyInForce {
  readonly #options: PolicyInForceOptions;
  #taken: Taken = NOTHING;
  /** Policies of the state that cannot be used here. */
  readonly #refused = new Set<string>();
  #revision = 0;
  /** Those of them whose texts were lost. */
  readonly #textless = new Set<string>();
  #notedHash: string | null = null;
  /** Notes of files that were tried and are not yet seen in the state, by their ids. */
  readonly #notes = new Map<string, { readonly file: CompiledPolicy; readonly previousHash: string }>();
  #following: Promise<void> = Promise.resolve();

  constructor(options: PolicyInForceOptions) {
    this.#options = options;
    options.store.onChange(() => this.#followSoon());
    this.#followSoon();
  }

  policy(): CompiledPolicy {
    return this.#taken.put ?? this.#options.file();
  }

  rollout(): PreparedRollout | null {
    return this.#taken.rollout;
  }

  isRolloutRefused(): boolean {
    return this.#taken.isRolloutRefused;
  }

  status(): PolicyStatus {
    const { store, file } = this.#options;
    const { inForce: put } = store.state();
    return { state: this.#stateOf(put), put, fileDiffers: file().hash !== this.policy().hash };
  }

  async settled(): Promise<void> {
    await this.#following;
  }

  fileChanged(): void {
    const { store, file, onFileDiffers } = this.#options;
    const { inForce } = store.state();
    if (inForce !== null && inForce.hash !== file().hash) onFileDiffers(file(), inForce);
    this.#followSoon();
  }

  #stateOf(put: PolicyEntry | null): PolicyInForceState {
    const knowledge = this.#options.store.knowledge();
    if (put !== null && this.#refused.has(put.hash)) return 'refused';
    if (knowledge !== 'known') return knowledge === 'loading' ? 'unknown' : 'stale';
    return put === null ? 'file' : 'put';
  }

  /** One after the other, so that the latest is the last. */
  #followSoon(): void {
    this.#following = this.#following.then(() => this.#follow());
  }

  async #follow(): Promise<void> {
    const { store, onTaken } = this.#options;
    const { revision, inForce, rollout } = store.state();
    const isTextFound = [inForce, rollout].some((one) => one?.text != null && this.#textless.has(one.hash));
    if (revision !== this.#revision || isTextFound) {
      this.#refused.clear();
      this.#textless.clear();
      const put = inForce && (await this.#prepare(inForce, 'in_force'));
      const beside = rollout && (await this.#prepare(rollout, 'beside'));
      this.#revision = revision;
      const before = this.policy().hash;
      // What cannot be used leaves what is in force, and lets nothing stand beside what it was not meant for.
      const isRefused = inForce !== null && put === null;
      const usable = isRefused ? null : rollout && beside && { policy: beside, rollout };
      const isRolloutRefused = rollout !== null && usable === null;
      this.#taken = { put: isRefused ? this.#taken.put : put, rollout: usable, isRolloutRefused };
      if (this.policy().hash !== before) onTaken(this.policy(), inForce);
    }
    await this.#note();
  }

  async #prepare(
    given: Pick<Rollout, 'id' | 'hash' | 'text'>,
    place: 'in_force' | 'beside',
  ): Promise<CompiledPolicy | null> {
    const { find, compile, onRefused } = this.#options;
    const { id, hash, text } = given;
    const known = [this.#taken.put, this.#taken.rollout?.policy ?? null, find(hash)].find(
      (one) => one?.hash === hash,
    );
    if (known) return known;
    const mistakes = ['its text is lost'];
    const compiled = text === null ? { ok: false as const, mistakes } : await compile(text);
    if (compiled.ok && compiled.value.hash === hash) return compiled.value;
    this.#refused.add(hash);
    if (text === null) this.#textless.add(hash);
    onRefused({ id, hash }, compiled.ok ? ['its text is another one'] : compiled.mistakes, place);
    return null;
  }

  /** Remembers the policy of the file, where it counts and is another than before. */
  async #note(): Promise<void> {
    this.#tellNoted();
    const { store, file, clock, newId } = this.#options;
    const { inForce, history } = store.state();
    const { id, hash, text } = file();
    if (inForce !== null || store.knowledge() !== 'known' || hash === this.#notedHash || text === null)
      return;
    this.#notedHash = hash;
    const previousHash = history[0]?.hash ?? null;
    const entry = { id, hash, sinceMs: clock.nowMs(), by: null, why: 'file' as const, previousHash };
    const noteId = newId();
    if (previousHash !== null) this.#notes.set(noteId, { file: file(), previousHash });
    const isNew = await store.note({ ...entry, text }, noteId);
    this.#tellNoted();
    // It could not be kept: tried again once more is heard.
    if (!isNew && store.state().history[0]?.hash !== hash) this.#notedHash = null;
  }

  /** Also of those whose reply was lost, once they are seen. */
  #tellNoted(): void {
    const { store, onNoted } = this.#options;
    const { changeIds } = store.state();
    for (const [id, { file, previousHash }] of this.#notes) {
      if (!changeIds.includes(id)) continue;
      this.#notes.delete(id);
      onNoted(file, previousHash);
    }
    const [oldest] = this.#notes.keys();
    if (this.#notes.size > NOTES_MAX && oldest !== undefined) this.#notes.delete(oldest);
  }
}
