/**
 * Spells every key and channel that riskgate uses in Redis. Keys hold keyed hashes and names of the
 * operator's own choice only, and every operation touches one key, or several with one hash tag, so that a
 * cluster can serve them.
 */
export interface RedisKeys {
  /** The channel on which replicas tell each other what was purged. */
  readonly purgeChannel: string;
  /** The key of one provider's evidence. A store key is `<provider>:<account>:<keyed hash>`. */
  evidence(storeKey: string): string;
  /**
   * The key of one telemetry id's binding, by the keyed hash of the id. It shares a hash tag with its group.
   */
  custody(hash: string): string;
  /**
   * Where the generation of a group of bindings is kept. A hash stands for the group of its first two digits.
   */
  custodyGeneration(hash: string): string;
  /** Where the former layout kept it, whose bindings are no longer read. */
  formerGeneration(hash: string): string;
  /** The step-ups of one telemetry id, by its keyed hash. It shares a hash tag with a group of custody. */
  stepUps(hash: string): string;
  /** Up to which time the step-ups of one telemetry id are void, by its keyed hash, with the same hash tag. */
  stepUpsVoid(hash: string): string;
  /** The telemetry ids with a step-up of one device or account, by its keyed hash. */
  stepUpsOf(hash: string): string;
  /** Up to which time the step-ups of one device or account are void, by its keyed hash. */
  stepUpsVoidOf(hash: string): string;
  /** The activity of a part of a subject, by a letter for the part and a keyed hash. It is in a group too. */
  activity(letter: string, hash: string): string;
  /** Where an event that was told is claimed, by a keyed hash. */
  activityEvent(hash: string): string;
  /**
   * The counter of a caller's requests in windows of one length. The id is the operator's own name for the
   * caller.
   */
  requests(callerId: string, windowMs: number): string;
  /** The key of an idempotent request, from a keyed hash. */
  idempotency(hash: string): string;
  /** The session of a browser, by the hash of what the browser holds. */
  session(hash: string): string;
  /** What was last told of an alert, by its name. */
  alert(name: string): string;
  /** Of all lists; they share a hash tag. */
  readonly lists: ListKeys;
  /** Of what others told of subjects, which is kept as lists are; likewise. */
  readonly sharedSignals: ListKeys;
  /** Two keys of the inspection, which ask for the right to what the others do. */
  readonly inspectedText: string;
  readonly inspectedHash: string;
  /** A hash: each registered candidate by the id of its policy, and the number of the latest change. */
  readonly policyCandidates: string;
  /** A hash: which policy is in force for all replicas, and which were; with the number of the latest change. */
  readonly policyState: string;
  /** A hash: the texts of those, by their hashes. It shares a hash tag with the one before. */
  readonly policyTexts: string;
  /** A hash: the queues of reviews by their names. */
  readonly reviewQueues: string;
  /** A hash: who reviews what, by the ids of decisions. */
  readonly reviewClaims: string;
  /** Messages that wait for one target of webhooks, by the operator's own name for it. */
  webhooks(target: string): WebhookKeys;
  /** The text of one policy, by its hash. */
  policy(hash: string): string;
  /** The keys of one hour of the decision log, by its number since 1970. */
  decisions(hour: number): DecisionKeys;
}

/** Two hashes by the ids of messages. They share a hash tag. */
interface WebhookKeys {
  /** Until when a message is the replica's that put it, Unix milliseconds. */
  readonly owners: string;
  readonly messages: string;
}

/** The keys of lists. */
export interface ListKeys {
  /** A hash: each entry by its list, its part and its value. */
  readonly entries: string;
  /** A hash: the number and the name of the latest change, and how many entries there are. */
  readonly state: string;
  /** A stream of the latest changes, by their numbers. */
  readonly changes: string;
}

/**
 * The keys of one hour share a hash tag, so that a script may use all of them in a cluster, and the hours are
 * spread over its nodes. Those that end in a colon are followed by Unix milliseconds.
 */
export interface DecisionKeys {
  /** The stream of records. */
  readonly records: string;
  /** Where records stand by id and by keyed hashes; followed by the minute in which they were appended. */
  readonly indexOf: string;
  /** Another random text with every append and label. */
  readonly changes: string;
  /** The latest batch of each writer. */
  readonly writers: string;
  /** When the first of the decisions was made, Unix milliseconds. */
  readonly earliest: string;
  readonly labels: string;
  readonly hourCounts: string;
  /** Followed by the minute that is counted. */
  readonly minuteCounts: string;
  /** Followed by the first of the five minutes that are counted. */
  readonly fiveMinuteCounts: string;
}

const PREFIX = 'riskgate';
/**
 * The shape of what is stored. Another shape needs another version: replicas of both then run side by side
 * and miss each other's entries.
 */
const VERSION = 'v1';
const CUSTODY_VERSION = 'v2';
/** So many can two hexadecimal digits tell apart. */
const GROUPS_MAX = 256;

/** `prefix` keeps several deployments apart in one Redis. */
export function createRedisKeys(prefix: string = PREFIX): RedisKeys {
  const evidencePrefix = `${prefix}:${VERSION}:evidence:`;
  const custodyPrefix = `${prefix}:${CUSTODY_VERSION}:custody:`;
  const generationPrefix = `${prefix}:${CUSTODY_VERSION}:custody-began:`;
  const formerPrefix = `${prefix}:${VERSION}:custody-began:`;
  const activityPrefix = `${prefix}:${VERSION}:activity-2:`;
  const eventPrefix = `${prefix}:${VERSION}:activity-event:`;
  const generationOf = byGroup((tag) => generationPrefix + tag);
  const formerOf = byGroup((tag) => formerPrefix + tag);
  return {
    purgeChannel: `${prefix}:${VERSION}:purge`,
    evidence: (storeKey) => evidencePrefix + storeKey,
    custody: (hash) => custodyPrefix + tagOf(hash) + hash.slice(2),
    custodyGeneration: generationOf,
    formerGeneration: formerOf,
    stepUps: (hash) => `${prefix}:${VERSION}:step-ups:${tagOf(hash)}${hash.slice(2)}`,
    stepUpsVoid: (hash) => `${prefix}:${VERSION}:step-ups-void:${tagOf(hash)}${hash.slice(2)}`,
    stepUpsOf: (hash) => `${prefix}:${VERSION}:step-ups-of:${hash}`,
    stepUpsVoidOf: (hash) => `${prefix}:${VERSION}:step-ups-void-of:${hash}`,
    activity: (letter, hash) => `${activityPrefix}${tagOf(hash)}${letter}${hash.slice(2)}`,
    activityEvent: (hash) => `${eventPrefix}${hash}`,
    requests: (callerId, windowMs) => `${prefix}:${VERSION}:requests:${callerId}:${windowMs}`,
    idempotency: (hash) => `${prefix}:${VERSION}:idempotency:${hash}`,
    session: (hash) => `${prefix}:${VERSION}:session:${hash}`,
    alert: (name) => `${prefix}:${VERSION}:alert:${name}`,
    lists: toListKeys(`${prefix}:${VERSION}:{lists}`),
    sharedSignals: toListKeys(`${prefix}:${VERSION}:{shared-signals}`),
    inspectedText: `${prefix}:${VERSION}:inspection:text`,
    inspectedHash: `${prefix}:${VERSION}:inspection:hash`,
    policyCandidates: `${prefix}:${VERSION}:policy-candidates`,
    policyState: `${prefix}:${VERSION}:{policies}:state`,
    policyTexts: `${prefix}:${VERSION}:{policies}:texts`,
    reviewQueues: `${prefix}:${VERSION}:review-queues`,
    reviewClaims: `${prefix}:${VERSION}:review-claims`,
    webhooks: (target) => {
      const tagged = `${prefix}:${VERSION}:{webhooks-${target}}:`;
      return { owners: `${tagged}owners`, messages: `${tagged}messages` };
    },
    policy: (hash) => `${prefix}:${VERSION}:policy:${hash}`,
    decisions: (hour) => {
      const tagged = `${prefix}:${VERSION}:{decisions-${hour}}:`;
      return {
        records: `${tagged}records`,
        indexOf: `${tagged}index:`,
        changes: `${tagged}changes`,
        writers: `${tagged}writers`,
        earliest: `${tagged}earliest`,
        labels: `${tagged}labels`,
        hourCounts: `${tagged}hour`,
        minuteCounts: `${tagged}minute:`,
        fiveMinuteCounts: `${tagged}minutes-5:`,
      };
    },
  };
}

function tagOf(hash: string): string {
  return `{${hash.slice(0, 2)}}`;
}

/** Spells the keys of a group once: a decision asks for those of a dozen. */
function byGroup(spell: (tag: string) => string): (hash: string) => string {
  const spelled = new Map<string, string>();
  return (hash) => {
    const group = hash.slice(0, 2);
    const known = spelled.get(group);
    if (known !== undefined) return known;
    const key = spell(tagOf(group));
    if (spelled.size < GROUPS_MAX) spelled.set(group, key);
    return key;
  };
}

/** True when the store key is one of this provider's. */
export function isKeyOf(provider: string, storeKey: string): boolean {
  return storeKey.startsWith(`${provider}:`);
}

function toListKeys(tagged: string): ListKeys {
  return { entries: `${tagged}:entries`, state: `${tagged}:state`, changes: `${tagged}:changes` };
}
