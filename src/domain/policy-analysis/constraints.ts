import { isDefinite } from '../evidence.ts';
import { ABSENT, type Dimension, type ProviderValue, type Space, UNREADABLE } from './dimension.ts';
import { fillTable, NEVER, type Table } from './rule-table.ts';
import { isThere } from './to-witness.ts';

/** Something that cannot be: a table of what can be together. */
interface Constraint extends Table {
  /** True for one that keeps apart only what is the same anyway. */
  readonly isFormal: boolean;
}

type Read = (name: string) => unknown;

interface Law {
  /** What it is about: dimensions by name. It holds where the first is among those of the space. */
  readonly names: readonly string[];
  readonly holds: (read: Read) => boolean;
}

const DEVICE = 'request.device_id_present';
const TELEMETRY = 'request.telemetry_id_present';
const ABOUT: Readonly<Record<string, string>> = { telemetry_id: TELEMETRY, device_id: DEVICE };

/**
 * What cannot be together, whatever policies say: signals of a source that has none have one value; without an
 * id its providers know nothing, and without a part of the subject there are no facts of it.
 */
export function findConstraints(space: Space): readonly Constraint[] {
  return [
    ...space.dimensions.flatMap((dimension, place) => toFormal(dimension, place, space)),
    ...lawsOf(space).flatMap((law) => toConstraint(law, space)),
  ];
}

/** Where the source of a signal is not there, only the first value of the signal counts. */
function toFormal(dimension: Dimension, place: number, space: Space): Constraint[] {
  if (dimension.parent === -1) return [];
  const scope = [dimension.parent, place];
  const codes = fillTable(scope, sizesOf(scope, space), (assignment) => {
    const valueAt = (at: number) => space.dimensions[at]?.values[assignment.get(at) ?? 0];
    return assignment.get(place) === 0 || isThere(dimension, space, valueAt) ? 1 : NEVER;
  });
  return [{ scope, sizes: sizesOf(scope, space), codes, isFormal: true }];
}

function lawsOf({ providers }: Space): readonly Law[] {
  const devices = [...providers.values()]
    .filter(({ subject }) => subject === 'device_id')
    .map(({ id }) => id);
  const asked = [...providers.values()].flatMap(({ id, subject }): Law[] => {
    const present = ABOUT[subject];
    // Where the address or the account is absent, its providers are skipped: that they may be is enough.
    if (present === undefined) return [];
    return [{ names: [id, present], holds: (read) => read(present) === true || isMissing(read(id)) }];
  });
  return [
    ...asked,
    {
      names: [DEVICE, ...devices],
      holds: (read) => read(DEVICE) !== true || devices.some((id) => !isSkipped(read(id))),
    },
    {
      names: [DEVICE, 'request.device_id_given'],
      holds: (read) => read(DEVICE) !== true || read('request.device_id_given') === true,
    },
    {
      names: ['telemetry', TELEMETRY],
      holds: (read) => (read('telemetry') === 'none') === (read(TELEMETRY) === false),
    },
    {
      names: ['telemetry.omits_device', 'telemetry', 'request.device_id_given'],
      holds: (read) =>
        read('telemetry') !== 'known' ||
        read('telemetry.omits_device') !== true ||
        read('request.device_id_given') === false,
    },
    ofPart('activity.account', 'request.account_id'),
    ofPart('activity.ip', 'request.ip'),
    {
      names: ['activity.device', 'request.device_id_given'],
      holds: (read) => read('activity.device') === 'none' || read('request.device_id_given') === true,
    },
  ];
}

/** There is none of a fact exactly where the request lacks what it is about. */
function ofPart(fact: string, signal: string): Law {
  return {
    names: [fact, signal],
    holds: (read) =>
      read(signal) === UNREADABLE
        ? read(fact) === 'unknown'
        : (read(fact) === 'none') === (read(signal) === ABSENT),
  };
}

function isMissing(value: unknown): boolean {
  const { outcome } = value as ProviderValue;
  return outcome === 'not_found' || outcome === 'skipped';
}

function isSkipped(value: unknown): boolean {
  return (value as ProviderValue).outcome === 'skipped';
}

/** Only those dimensions that all are there; providers that no rule reads can have any outcome. */
function toConstraint({ names, holds }: Law, space: Space): Constraint[] {
  const scope = names.flatMap((name) => space.places.get(name) ?? []).toSorted((left, right) => left - right);
  if (scope.length < names.length) return [];
  const codes = fillTable(scope, sizesOf(scope, space), (assignment) => {
    const read = (name: string) => {
      const place = space.places.get(name) ?? -1;
      return space.dimensions[place]?.values[assignment.get(place) ?? 0];
    };
    return holds(read) ? 1 : NEVER;
  });
  return [{ scope, sizes: sizesOf(scope, space), codes, isFormal: false }];
}

function sizesOf(scope: readonly number[], { dimensions }: Space): readonly number[] {
  return scope.map((place) => dimensions[place]?.values.length ?? 1);
}

/** True where a value of a dimension is a loss: a decision that reads it is degraded. */
export function isLoss({ kind, source }: Dimension, value: unknown, space: Space): boolean {
  if (kind === 'provider') return !isDefinite((value as ProviderValue).outcome);
  if (kind === 'fact') return value === 'unknown';
  return value === ABSENT && source !== 'request' && !space.providers.has(source);
}
