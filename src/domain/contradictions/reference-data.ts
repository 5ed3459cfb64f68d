/** What a User-Agent says of its client, in the names of `prefactor.last_seen.user_agent_*`. */
export interface UserAgentNames {
  /** `Chrome`, for example; `Other` for one that is not known. */
  readonly family: string;
  /** `macOS`, for example; `Other` for one that is not known. */
  readonly os: string;
}

/** Where an address is, as far as the GeoIP file says. */
export interface AddressPlace {
  /** ISO 3166-1 alpha-2. */
  readonly country?: string | undefined;
  /** The number of the autonomous system. */
  readonly asn?: number | undefined;
  /** Degrees; both or neither. */
  readonly latitude?: number | undefined;
  readonly longitude?: number | undefined;
  /** The place is somewhere within so many kilometres. */
  readonly radiusKm?: number | undefined;
}

/**
 * What is known of where an address is: null where no GeoIP file knows it, `lost` where one could not be searched.
 */
export type FoundPlace = AddressPlace | 'lost' | null;

/** In which countries codes are used. Pure and total. */
export interface CountriesOfCodes {
  /**
   * The countries in which this IANA time zone is used, by any of its names, ISO 3166-1 alpha-2; null for one
   * that is not known.
   */
  countriesOfTimeZone(zone: string): readonly string[] | null;
  /** The countries of a mobile country code of three digits; null for one that is not known. */
  countriesOfMcc(mcc: string): readonly string[] | null;
}

/** What contradictions know of the world beside evidence. All of it is pure and total. */
export interface ReferenceData extends CountriesOfCodes {
  /** Null for a text that names nothing. */
  userAgentOf(text: string): UserAgentNames | null;
  placeOfAddress(ip: string): FoundPlace;
  /** Another number where `placeOfAddress` may say something else of the same address than before. */
  placesEdition(): number;
}
