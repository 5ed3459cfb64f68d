/** Every test file that tap's API is used in, wherever it is. */
export const ALL_TESTS = 'test/**/*.test.ts';

/**
 * Folders whose tests load the machine, take minutes or need programs, by the npm script that runs them
 * instead of `npm test`. `.ci/run` runs all of them.
 */
export const COMMANDS: Readonly<Record<string, string>> = {
  'test/faults': 'test:faults',
  'test/herds': 'test:herds',
  'test/engines': 'test:engines',
  'test/durability': 'durability',
  'test/clients': 'test:clients',
  'test/browser': 'test:dashboard',
  'test/gateways/real': 'test:gateways',
};

/** The folders that `npm test` leaves to other commands. */
export const HEAVY_FOLDERS = Object.keys(COMMANDS);

/** The share of the inputs of test/fuzz that `npm test` tries; `npm run test:fuzz` tries all. */
export const FUZZ_FACTOR = '0.2';
