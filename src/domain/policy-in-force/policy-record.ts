/**
 * Why a policy came into force. `file`: a replica took it from its file. `promoted`, `restored`, `rolled_back`:
 * it was put in force for all replicas, over their files. `released`: the files of replicas count again.
 */
export const POLICY_CAUSES = ['file', 'promoted', 'restored', 'rolled_back', 'released'] as const;

/** One of them. */
export type PolicyCause = (typeof POLICY_CAUSES)[number];

/** So many policies that were in force are remembered. */
export const POLICIES_REMEMBERED = 50;

/** So many ids of changes are: a replica looks several times a second. */
export const CHANGE_IDS_REMEMBERED = 50;

/** A policy that came into force. */
export interface PolicyEntry {
  readonly id: string;
  readonly hash: string;
  /** Unix milliseconds. */
  readonly sinceMs: number;
  /** The id of the API key; null for a file, and for what riskgate does by itself. */
  readonly by: string | null;
  readonly why: PolicyCause;
  /** The hash of what was in force before, as far as whoever put it knew. */
  readonly previousHash: string | null;
}

/** A policy that belongs to a change beside the one in force: which answers a share, or is watched. */
export interface RolloutEntry {
  readonly id: string;
  readonly hash: string;
  /** JSON; what it means is known to who put it. */
  readonly part: unknown;
}

/** A policy beside the one in force that answered a share, and was taken back before it was in force. */
export interface AbortedPolicy {
  readonly hash: string;
  /** Unix milliseconds. */
  readonly atMs: number;
  /** The id of the API key; null for what riskgate did by itself. */
  readonly by: string | null;
}

/** What replicas agree on. Texts are kept beside it, by their hashes. */
export interface PolicyRecord {
  /** Rises with each change of the two below; 0 where there was none. */
  readonly revision: number;
  /** What overrules the files; null where they count. */
  readonly inForce: PolicyEntry | null;
  readonly rollout: RolloutEntry | null;
  /** What came into force, newest first. */
  readonly history: readonly PolicyEntry[];
  /** What was taken back before it was in force, newest first. */
  readonly aborted: readonly AbortedPolicy[];
  /** The ids of the latest changes, newest first: so that whoever had no reply can see whether its change was made. */
  readonly changeIds: readonly string[];
}

/** What replicas agree on before anything was put in force. */
export const NO_POLICY: PolicyRecord = {
  revision: 0,
  inForce: null,
  rollout: null,
  history: [],
  aborted: [],
  changeIds: [],
};

/**
 * With the policy of a file that came into force in the history; null where it stands there as the latest, and where
 * something was put in force over files meanwhile.
 */
export function rememberPolicy(record: PolicyRecord, entry: PolicyEntry, id: string): PolicyRecord | null {
  if (record.inForce !== null || record.history[0]?.hash === entry.hash) return null;
  const { inForce, rollout } = record;
  return changePolicies(record, { inForce, rollout, entry, id });
}

/**
 * The same after a change with an id of its own. `entry` is what came into force by it; null where it is about the
 * rollout alone. `aborted` is what was taken back by it before it was in force, if anything.
 */
export function changePolicies(
  record: PolicyRecord,
  { inForce, rollout, entry, aborted, id }: RecordedChange,
): PolicyRecord {
  return {
    ...record,
    inForce,
    rollout,
    history: prepend(entry, record.history, POLICIES_REMEMBERED),
    aborted: prepend(aborted ?? null, record.aborted, POLICIES_REMEMBERED),
    changeIds: prepend(id, record.changeIds, CHANGE_IDS_REMEMBERED),
  };
}

interface RecordedChange extends Pick<PolicyRecord, 'inForce' | 'rollout'> {
  readonly entry: PolicyEntry | null;
  readonly aborted?: AbortedPolicy;
  readonly id: string;
}

function prepend<Kept>(one: Kept | null, before: readonly Kept[], countMax: number): readonly Kept[] {
  return one === null ? before : [one, ...before].slice(0, countMax);
}

/**
 * What holds where this process knows one thing and the shared store has another after it lost changes: the later
 * state, and all that either remembers.
 */
export function laterRecord(known: PolicyRecord, found: PolicyRecord): PolicyRecord {
  const { revision, inForce, rollout } = known.revision > found.revision ? known : found;
  const history = mergeNewest(known.history, found.history, ({ sinceMs }) => sinceMs);
  const aborted = mergeNewest(known.aborted, found.aborted, ({ atMs }) => atMs);
  const changeIds = [...new Set([...known.changeIds, ...found.changeIds])];
  return {
    revision,
    inForce,
    rollout,
    history,
    aborted,
    changeIds: changeIds.slice(0, CHANGE_IDS_REMEMBERED),
  };
}

function mergeNewest<Kept extends { readonly hash: string }>(
  known: readonly Kept[],
  found: readonly Kept[],
  timeOf: (one: Kept) => number,
): readonly Kept[] {
  const all = new Map([...known, ...found].map((one) => [`${timeOf(one)} ${one.hash}`, one]));
  return [...all.values()]
    .toSorted((left, right) => timeOf(right) - timeOf(left))
    .slice(0, POLICIES_REMEMBERED);
}

/** The hashes of all policies whose texts a record needs. */
export function hashesOf({ inForce, rollout, history }: PolicyRecord): ReadonlySet<string> {
  return new Set([inForce, rollout, ...history].flatMap((one) => one?.hash ?? []));
}

/** How often something was taken back since then that nobody had asked to take back, of what is remembered. */
export function countTakenBack(
  { history, aborted }: Pick<PolicyRecord, 'history' | 'aborted'>,
  sinceMs: number,
): number {
  const back = history.filter(
    ({ why, by, sinceMs: atMs }) => why === 'rolled_back' && by === null && atMs > sinceMs,
  );
  return back.length + aborted.filter(({ by, atMs }) => by === null && atMs > sinceMs).length;
}

/** When a policy was taken back last, in force or before it was, Unix milliseconds; minus infinity for never. */
export function takenBackAtMs(
  { history, aborted }: Pick<PolicyRecord, 'history' | 'aborted'>,
  hash: string,
): number {
  const back = history.find(({ why, previousHash }) => why === 'rolled_back' && previousHash === hash);
  const ended = aborted.find((one) => one.hash === hash);
  return Math.max(back?.sinceMs ?? Number.NEGATIVE_INFINITY, ended?.atMs ?? Number.NEGATIVE_INFINITY);
}
