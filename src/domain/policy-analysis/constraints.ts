import { isDefinite } from '../evidence.ts';
import { PLACE_SIGNALS } from '../policy/request-values-read.ts';
import { contradictionLaws } from './contradiction-laws.ts';
import { ABSENT, type Dimension, isSoft, type ProviderValue, type Space, UNREADABLE } from './dimension.ts';
import { type Constraint, fillTable, NEVER } from './table.ts';
import { isThere } from './to-witness.ts';

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
    ...contradictionLaws(space),
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
  const telemetries = [...providers.values()]
    .filter(({ subject }) => subject === 'telemetry_id')
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
      holds: (read) => read('telemetry') === 'none' || read(TELEMETRY) === true,
    },
    // There is none either of an id that is there and that no provider can be asked about.
    ...telemetries.map(
      (id): Law => ({
        names: ['telemetry', id],
        holds: (read) => read('telemetry') !== 'none' || isMissing(read(id)),
      }),
    ),
    ...lawsOfPlace(),
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

/** Where an address is follows from it, and is looked up once for all that is told of it. */
function lawsOfPlace(): readonly Law[] {
  const names = PLACE_SIGNALS.map((name) => `request.${name}`);
  const [one = '', other = ''] = names;
  return [
    ...names.map(
      (name): Law => ({
        names: ['request.ip', name],
        holds: (read) => {
          const ip = read('request.ip');
          return (ip !== ABSENT && ip !== UNREADABLE) || read(name) === ip;
        },
      }),
    ),
    { names, holds: (read) => (read(one) === UNREADABLE) === (read(other) === UNREADABLE) },
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
  if (isSoft(value)) return value.softness !== 'nothing';
  return value === ABSENT && source !== 'request' && !space.providers.has(source);
}
