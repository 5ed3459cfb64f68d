import type { SpaceProvider } from '../../src/domain/policy-analysis/build-space.ts';
import { findConstraints } from '../../src/domain/policy-analysis/constraints.ts';
import type { Space } from '../../src/domain/policy-analysis/dimension.ts';
import { type Assignment, toWitness } from '../../src/domain/policy-analysis/to-witness.ts';
import type { Witness } from '../../src/domain/policy-analysis/witness.ts';
import { COMPILE_OPTIONS } from './policy-fixture.ts';

/** The small providers `a` and `b`, as an analysis knows them. */
export const SPACE_PROVIDERS: readonly SpaceProvider[] = COMPILE_OPTIONS.providers.map((provider, place) => ({
  ...provider,
  subject: place === 0 ? 'telemetry_id' : 'device_id',
  notFoundSignals: { found: false },
  unsupportedSignals: place === 0 ? null : { found: true },
}));

/** How many assignments a space has. */
export function assignmentsIn({ dimensions }: Space): number {
  return dimensions.reduce((product, { values }) => product * values.length, 1);
}

/** Every combination of evidence of a space that can be, each once, with its assignment. */
export function* everyWitness(space: Space): Generator<readonly [Witness, Assignment]> {
  const constraints = findConstraints(space);
  const sizes = space.dimensions.map(({ values }) => values.length);
  const digits = sizes.map(() => 0);
  for (let left = assignmentsIn(space); left > 0; left -= 1) {
    const isPossible = constraints.every(({ scope, sizes: own, codes }) => {
      const cell = scope.reduce((sum, place, at) => sum * (own[at] ?? 1) + (digits[place] ?? 0), 0);
      return codes[cell] === 1;
    });
    const assignment = new Map(digits.entries());
    const witness = isPossible ? toWitness(space, assignment) : null;
    if (witness !== null) yield [witness, assignment];
    for (let at = digits.length - 1; at >= 0; at -= 1) {
      digits[at] = ((digits[at] ?? 0) + 1) % (sizes[at] ?? 1);
      if (digits[at] !== 0) break;
    }
  }
}
