import fc from 'fast-check';
import t from 'tap';
import {
  type ContradictionInput,
  type Finding,
  INPUT_PARTS,
  type MemorySide,
  type RequestSide,
  type Side,
} from '../../../src/domain/contradictions/contradiction.ts';
import { CONTRADICTIONS } from '../../../src/domain/contradictions/registry.ts';
import { SITUATIONS, toInput } from './situations.ts';

const resultOf = (finding: Finding | undefined) => (typeof finding === 'object' ? finding.result : finding);
const find = (id: string, input: ContradictionInput) =>
  CONTRADICTIONS.find((each) => each.id === id)?.find(input);

for (const { title, id, input, expect, because } of SITUATIONS)
  t.test(`${id}: ${title}`, async (t) => {
    const finding = find(id, toInput(input));
    t.equal(resultOf(finding), expect);
    if (because !== undefined && typeof finding === 'object') t.match(finding.because, because);
  });

t.test('has situations of every contradiction: true, false, unknown and none', async (t) => {
  for (const { id } of CONTRADICTIONS) {
    const results = new Set(SITUATIONS.filter((each) => each.id === id).map(({ expect }) => expect));
    t.same(
      [true, false, 'unknown', 'none'].filter((each) => !results.has(each as boolean)),
      [],
      id,
    );
  }
});

/** Everything that can be lost of an input: a provider, a field, what the request or memory says. */
interface Loss {
  readonly evidence: ('stytch' | 'mobilerun' | 'prefactor')[];
  readonly request: (keyof RequestSide)[];
  readonly memory: (keyof MemorySide)[];
}

const PROVIDERS: Loss['evidence'] = ['stytch', 'mobilerun', 'prefactor'];

const lossArbitrary: fc.Arbitrary<Loss> = fc.record({
  evidence: fc.subarray(PROVIDERS),
  request: fc.subarray<keyof RequestSide>(['userAgent', 'ip', 'place']),
  memory: fc.subarray<keyof MemorySide>(['places', 'telemetryFirstUsedMs', 'hardware']),
});

const situationArbitrary = fc.constantFrom(...SITUATIONS.map(({ input }) => toInput(input)));

/** Parts of different situations together, so that findings meet inputs that nobody wrote. */
const inputArbitrary: fc.Arbitrary<ContradictionInput> = fc
  .tuple(situationArbitrary, situationArbitrary, situationArbitrary, situationArbitrary, situationArbitrary)
  .map(([first, second, third, fourth, fifth]) => ({
    ...first,
    evidence: {
      stytch: first.evidence.stytch,
      mobilerun: second.evidence.mobilerun,
      prefactor: third.evidence.prefactor,
    },
    request: fourth.request,
    memory: fifth.memory,
  }));

/** The same where these parts were lost: what was not said was not lost. */
function without(input: ContradictionInput, loss: Loss): ContradictionInput {
  const evidence = { ...input.evidence };
  for (const id of loss.evidence) if (evidence[id] !== 'none') evidence[id] = 'unknown';
  return {
    ...input,
    evidence,
    request: lose(input.request, loss.request),
    memory: lose(input.memory, loss.memory),
  };
}

function lose<Part extends object>(part: Part, names: readonly (keyof Part)[]): Part {
  return { ...part, ...Object.fromEntries(names.map((name) => [name, lost(part[name])])) };
}

function lost(value: unknown): unknown {
  if (value === undefined) return undefined;
  const { devices, accounts } = Object(value);
  return Object.hasOwn(Object(value), 'devices')
    ? { devices: lost(devices), accounts: lost(accounts) }
    : null;
}

t.test('never becomes false, or none, by losing a part of what made it true', async (t) => {
  fc.assert(
    fc.property(inputArbitrary, lossArbitrary, (input, loss) => {
      for (const { id, find } of CONTRADICTIONS) {
        const whole = resultOf(find(input));
        const rest = resultOf(find(without(input, loss)));
        if (whole === true && rest !== true && rest !== 'unknown') throw new Error(`${id}: ${rest}`);
        if (whole !== true && rest === true) throw new Error(`${id} is true by a loss`);
      }
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

t.test('is total: evidence of any shape throws nothing', async (t) => {
  const signals = fc.oneof(
    fc.object(),
    fc.constantFrom(...SITUATIONS.map(({ input }) => input.stytch ?? {})),
  );
  fc.assert(
    fc.property(fc.array(signals, { minLength: 3, maxLength: 3 }), inputArbitrary, (sides, input) => {
      const [stytch, mobilerun, prefactor] = sides as readonly Side[];
      const evidence = {
        stytch: stytch ?? 'none',
        mobilerun: mobilerun ?? 'none',
        prefactor: prefactor ?? 'none',
      };
      for (const { find } of CONTRADICTIONS) find({ ...input, evidence });
    }),
  );
  t.pass();
});

t.test('depends on nothing but what it says that it reads', async (t) => {
  fc.assert(
    fc.property(inputArbitrary, inputArbitrary, (input, other) => {
      for (const { id, find, reads } of CONTRADICTIONS) {
        const mixed = {
          ...input,
          evidence: { ...input.evidence },
          request: reads.includes('request') ? input.request : other.request,
          memory: reads.includes('memory') ? input.memory : other.memory,
          nowMs: reads.includes('time') ? input.nowMs : input.nowMs + 1e9,
        };
        for (const name of ['stytch', 'mobilerun', 'prefactor'] as const)
          if (!reads.includes(name)) mixed.evidence[name] = other.evidence[name];
        if (JSON.stringify(find(input)) !== JSON.stringify(find(mixed))) throw new Error(id);
      }
    }),
  );
  t.pass();
});

t.test('says nothing of its working but bools, texts, lists and finite numbers', async (t) => {
  fc.assert(
    fc.property(inputArbitrary, (input) => {
      for (const { find } of CONTRADICTIONS) {
        const finding = find(input);
        if (typeof finding === 'string') continue;
        const because: unknown = JSON.parse(JSON.stringify(finding.because));
        if (JSON.stringify(because) !== JSON.stringify(finding.because))
          throw new Error('does not survive JSON');
        for (const value of Object.values(finding.because))
          if (typeof value === 'number' && !Number.isFinite(value)) throw new Error('not finite');
      }
    }),
  );
  t.pass();
});

t.test('reads parts of the input that exist', async (t) => {
  for (const { reads } of CONTRADICTIONS) t.ok(reads.every((part) => INPUT_PARTS.includes(part)));
  t.ok(CONTRADICTIONS.length > 0);
});
