import type { Contradiction, ContradictionInput, Finding, Told } from './contradiction.ts';
import { type Countries, compareCountries, requestCountries, toCountries } from './countries.ts';
import type { CountriesOfCodes } from './reference-data.ts';
import { anyOf, numberOf, textOf } from './told.ts';

/** MCC and MNC have five digits or six (ITU-T E.212), of which an integer lacks zeros that lead. */
const DIGITS = [5, 6] as const;
const MCC_DIGITS = 3;

/** A SIM, or the network that serves it, of another country than what it says, or than the address. */
export const SIM_COUNTRY: Contradiction = {
  id: 'sim_country',
  family: 'place',
  meaning:
    "The mobile country code of Mobilerun's SIM is of another country than the SIM says it is of, or an address (of Stytch, or of the request with a GeoIP file) is in neither the country of the SIM nor that of the network. Codes are sets of countries, and a code whose leading zeros were lost is read in every way that there is.",
  reads: ['stytch', 'mobilerun', 'request'],
  find: (input: ContradictionInput): Finding => {
    const { evidence, reference } = input;
    const { stytch, mobilerun } = evidence;
    const sim = toOperator(numberOf(mobilerun, 'sim_operator_numeric'), reference);
    const network = toOperator(numberOf(mobilerun, 'carrier_operator_numeric'), reference);
    const country = toCountries(textOf(mobilerun, 'carrier_country'));
    const either = eitherOf(sim, network);
    return anyOf([
      compareCountries(['sim_operator', 'sim_country'], sim, country),
      compareCountries(['operators', 'stytch_country'], either, toCountries(textOf(stytch, 'country'))),
      compareCountries(['operators', 'request_country'], either, requestCountries(input)),
    ]);
  },
};

/** A phone abroad. Travellers roam: it is the weakest of all. */
export const ROAMING: Contradiction = {
  id: 'roaming',
  family: 'place',
  meaning:
    "Mobilerun's network is of another country than its SIM: honest travellers roam too, and so it is the weakest of all.",
  reads: ['mobilerun'],
  find: ({ evidence: { mobilerun }, reference }: ContradictionInput): Finding =>
    compareCountries(
      ['sim_operator', 'network_operator'],
      toOperator(numberOf(mobilerun, 'sim_operator_numeric'), reference),
      toOperator(numberOf(mobilerun, 'carrier_operator_numeric'), reference),
    ),
};

/** The countries of an operator; lost where its country code is not known. */
function toOperator(numeric: Told<number>, reference: CountriesOfCodes): Told<Countries> {
  if (typeof numeric !== 'number') return numeric;
  const countries = countriesOfOperator(numeric, reference);
  return countries === null ? null : { said: numeric, countries };
}

/** The countries of MCC and MNC as one integer, by every country code that it can stand for. */
function countriesOfOperator(numeric: number, reference: CountriesOfCodes): readonly string[] | null {
  const digits = String(numeric);
  const codes = DIGITS.filter((length) => digits.length <= length).map((length) =>
    digits.padStart(length, '0').slice(0, MCC_DIGITS),
  );
  const known = [...new Set(codes)].flatMap((code) => reference.countriesOfMcc(code) ?? []);
  const isKnown = codes.some((code) => reference.countriesOfMcc(code) !== null);
  return isKnown ? [...new Set(known)] : null;
}

/** An address is that of the network, or, as roaming is often routed home, that of the SIM. */
function eitherOf(sim: Told<Countries>, network: Told<Countries>): Told<Countries> {
  if (sim === null || network === null) return null;
  if (sim === undefined || network === undefined) return sim ?? network;
  const isLocal = sim.countries.length === 0 || network.countries.length === 0;
  const countries = isLocal ? [] : [...new Set([...sim.countries, ...network.countries])];
  return { said: `${sim.said} ${network.said}`, countries };
}
