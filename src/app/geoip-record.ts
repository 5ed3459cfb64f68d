import type { AddressPlace } from '../domain/contradictions/reference-data.ts';
import { isOnEarth } from '../domain/great-circle.ts';
import { toAsn, toCountry } from '../providers/signal-values.ts';

const HALF_WAY_ROUND_KM = 20_100;

/**
 * What a record of a GeoIP file says of a place, in the form of MaxMind (country, city, ASN) or of IPinfo, whose
 * country and network are texts. Everything that is not of its type is absent.
 */
export function toAddressPlace(record: unknown): AddressPlace {
  const country = at(record, 'country');
  const location = at(record, 'location');
  const [latitude, longitude] = [at(location, 'latitude'), at(location, 'longitude')];
  const radiusKm = at(location, 'accuracy_radius');
  const code = at(country, 'iso_code') ?? country ?? at(record, 'country_code');
  const place: Record<string, unknown> = {
    country: typeof code === 'string' ? toCountry(code) : undefined,
    asn: toNumber(at(record, 'autonomous_system_number') ?? at(record, 'asn')),
  };
  if (typeof latitude === 'number' && typeof longitude === 'number' && isOnEarth({ latitude, longitude })) {
    Object.assign(place, { latitude, longitude });
    if (typeof radiusKm === 'number' && radiusKm >= 0 && radiusKm <= HALF_WAY_ROUND_KM)
      place['radiusKm'] = radiusKm;
  }
  return Object.fromEntries(Object.entries(place).filter(([, value]) => value !== undefined));
}

function toNumber(asn: unknown): number | undefined {
  return typeof asn === 'string' || typeof asn === 'number' ? toAsn(asn) : undefined;
}

function at(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
