import { accessSync, constants, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { AddressPlace, FoundPlace } from '../domain/contradictions/reference-data.ts';
import { type FileStatus, followFile, type ReloadableFile } from '../platform/reloadable-file.ts';
import type { Result } from '../platform/result.ts';
import { toAddressPlace } from './geoip-record.ts';

/** The places of addresses, by files that are followed. */
interface GeoipFiles {
  /** Null for an address that no file knows. */
  placeOfAddress(ip: string): FoundPlace;
  /** Another number since a file was read again. */
  edition(): number;
  statuses(): readonly (FileStatus & { readonly file: 'geoip' })[];
  close(): void;
}

interface GeoipOptions {
  /** In the MaxMind format. What the first does not say of an address, the next may. */
  readonly paths: readonly string[];
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/** One file, whole in memory. */
interface Lookup {
  /** As the file says, `GeoLite2-City` for example. */
  readonly type: string;
  readonly builtAt: Date;
  /** Undefined where it knows nothing of the address. */
  find(ip: string): unknown;
}

const NO_FILES: GeoipFiles = {
  placeOfAddress: () => null,
  edition: () => 0,
  statuses: () => [],
  close: () => {},
};
/** Addresses that are looked for before a file is used: a tree that is cut off fails on the way to one. */
const PROBES = ['0.0.0.0', '1.1.1.1', '203.0.113.1', '255.255.255.255'];
const IPV6_PROBES = ['::2', '2001:db8::1', '2606:4700:4700::1111', 'ffff::1'];

/**
 * Loads and follows these files. Rejects, with the mistake, when one cannot be used at first; one that breaks
 * later is told, and what was loaded before stays. The library is loaded only where there is a file.
 */
export async function followGeoip({ paths, logger, nowMs }: GeoipOptions): Promise<GeoipFiles> {
  if (paths.length === 0) return NO_FILES;
  const { Reader } = await import('maxmind');
  const build = (path: string, bytes: Buffer) => toLookup(path, () => new Reader(bytes));
  const files = paths.map(
    (path): ReloadableFile<Lookup> =>
      followFile({
        path,
        loadFirst: () => readFirst(path, build),
        load: async () => build(path, await readFile(path)),
        onReload: ({ type, builtAt }) =>
          logger.info({ event: 'geoip.reloaded', path, type, built_at: builtAt }, 'a file was reloaded'),
        onRefused: (mistakes) =>
          logger.error(
            { event: 'geoip.refused', path, mistakes },
            'a changed file is refused; the last good one stays',
          ),
        nowMs,
      }),
  );
  // What a file is replaced by is in use before anybody is told of it.
  const seen: Lookup[] = [];
  let edition = 0;
  return {
    placeOfAddress: (ip) => findPlace(files, ip),
    edition: () => {
      for (const [place, file] of files.entries()) {
        const lookup = file.current();
        if (lookup === seen[place]) continue;
        seen[place] = lookup;
        edition += 1;
      }
      return edition;
    },
    statuses: () => files.map((file) => ({ file: 'geoip', ...file.status() })),
    close: () => {
      for (const file of files) file.close();
    },
  };
}

/** Each of these files that cannot be read, with the reason. */
export function checkGeoipFiles(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    try {
      accessSync(path, constants.R_OK);
      return [];
    } catch (error) {
      return [toUnreadable(path, error)];
    }
  });
}

function readFirst(path: string, build: (path: string, bytes: Buffer) => Result<Lookup>): Result<Lookup> {
  try {
    return build(path, readFileSync(path));
  } catch (error) {
    return { ok: false, mistakes: [toUnreadable(path, error)] };
  }
}

function toUnreadable(path: string, error: unknown): string {
  return `${path}: cannot be read (${String(Reflect.get(Object(error), 'code'))})`;
}

/** What the library offers of a file. */
interface GeoipReader {
  readonly metadata: { readonly databaseType: string; readonly buildEpoch: Date; readonly ipVersion: number };
  get(ip: string): unknown;
}

/** A file that is none, is cut off, or cannot be searched is a mistake. */
function toLookup(path: string, open: () => GeoipReader): Result<Lookup> {
  try {
    const reader = open();
    const { databaseType, buildEpoch, ipVersion } = reader.metadata;
    const knowsIpv6 = ipVersion === 6;
    for (const ip of knowsIpv6 ? [...PROBES, ...IPV6_PROBES] : PROBES) toAddressPlace(reader.get(ip));
    const find = (ip: string) => (ip.includes(':') && !knowsIpv6 ? undefined : reader.get(ip));
    return { ok: true, value: { type: databaseType, builtAt: buildEpoch, find } };
  } catch {
    // Its text is the library's, and quotes bytes of the file.
    return { ok: false, mistakes: [`${path}: is no file in the MaxMind format, or is cut off`] };
  }
}

function findPlace(files: readonly ReloadableFile<Lookup>[], ip: string): FoundPlace {
  let place: AddressPlace | null = null;
  for (const file of files) {
    try {
      const record = file.current().find(ip);
      if (record !== undefined && record !== null) place = addTo(place, toAddressPlace(record));
    } catch {
      // A part of the file that no probe met is damaged: nobody knows what it would say of this address.
      return 'lost';
    }
  }
  return place;
}

/** Adds what a later file says. Where it is, and how exactly, is of one file. */
function addTo(place: AddressPlace | null, more: AddressPlace): AddressPlace {
  if (place?.latitude === undefined) return { ...more, ...place };
  const { latitude: _latitude, longitude: _longitude, radiusKm: _radiusKm, ...rest } = more;
  return { ...rest, ...place };
}
