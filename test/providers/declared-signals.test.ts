import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { z } from 'zod';
import type { ProviderAnswer } from '../../src/application/evidence/provider-answer.ts';
import { toSettledAnswer } from '../../src/providers/answer.ts';
import { type DeclaredSignals, toSignals } from '../../src/providers/declared-signals.ts';
import { defineProvider } from '../../src/providers/definition.ts';
import { stytch } from '../../src/providers/stytch/index.ts';

const schema = z.object({
  found: z.boolean(),
  tags: z.array(z.string()).optional(),
  place: z.object({ country: z.string().optional() }).optional(),
});

/** Compiles for `true` alone. */
type Expect<Holds extends true> = Holds;

/** Whether `toSignals` takes this argument, by the same inference as a call. */
type IsTaken<Given> = typeof toSignals<typeof schema, Given & z.output<typeof schema>> extends (
  schema: never,
  given: infer Parameter,
) => unknown
  ? Given extends Parameter
    ? true
    : false
  : never;
type Not<Holds extends boolean> = Holds extends true ? false : true;

/** What `toAnswer` of a provider with this schema has to return. */
type Answer = ProviderAnswer<DeclaredSignals<typeof schema>>;
type IsAnswer<Given> = Given extends Answer ? true : false;

/** The compiler's own table of what is refused: each line fails to compile when it is not so. */
export type Assertions = [
  Expect<IsTaken<{ found: true }>>,
  Expect<IsTaken<{ found: true; tags: string[]; place: { country: string } }>>,
  Expect<IsTaken<{ found: true; place: { country?: string } | undefined }>>,
  // Undeclared at the top, and below it.
  Expect<Not<IsTaken<{ found: true; score: number }>>>,
  Expect<Not<IsTaken<{ found: true; score?: number }>>>,
  Expect<Not<IsTaken<{ found: true; place: { country: string; city: string } }>>>,
  Expect<Not<IsTaken<{ found: true; place: { city?: string } | undefined }>>>,
  // Of another type than declared.
  Expect<Not<IsTaken<{ found: true; tags: string }>>>,
  // An answer has signals that were checked, and no others.
  Expect<IsAnswer<ReturnType<typeof answerChecked>>>,
  Expect<Not<IsAnswer<ReturnType<typeof answerUnchecked>>>>,
];

function answerChecked() {
  return toSettledAnswer('ok', toSignals(schema, { found: true, place: { country: 'NZ' } }), null);
}

function answerUnchecked() {
  return toSettledAnswer('ok', { found: true, score: 3 }, null);
}

t.test('many signals are an object that V8 reads by place, and no hash table', async (t) => {
  setFlagsFromString('--allow-natives-syntax');
  const isByPlace: (value: object) => boolean = runInNewContext('(value) => %HasFastProperties(value)');
  const names = Array.from({ length: 100 }, (_, place) => `signal_${place}`);
  const shape = Object.fromEntries(names.map((name) => [name, z.number()]));
  const given = Object.fromEntries(names.map((name, place) => [name, place]));
  const signals = toSignals(z.object({ found: z.boolean(), ...shape }), { found: true, ...given });
  t.strictSame(signals, { found: true, ...given });
  t.equal(isByPlace(signals), true);
});

t.test('keeps what is declared, and leaves out what is undefined', async (t) => {
  const signals = toSignals(schema, { found: true, tags: undefined, place: { country: 'NZ' } });
  t.strictSame(signals, { found: true, place: { country: 'NZ' } });
  t.strictSame(answerChecked().signals, { found: true, place: { country: 'NZ' } });
});

t.test('keeps nothing undeclared, whatever it was told that the compiler did not see', async (t) => {
  const given: z.output<typeof schema> = JSON.parse('{"found":true,"imei":"490154203237518"}');
  t.strictSame(toSignals(schema, given), { found: true });
});

t.test('gives a definition its settings as their schemas parse them', async (t) => {
  const provider = defineProvider({
    ...stytch,
    settings: {
      key: { env: 'X_KEY', schema: z.string(), description: 'x', isCredential: true },
      port: { env: 'X_PORT', schema: z.string().transform(Number), description: 'x', isOptional: true },
    },
    signals: schema,
    notFoundSignals: toSignals(schema, { found: false }),
    baseUrl: ({ key, port }) => {
      const parsed: string = key;
      const optional: number | undefined = port;
      return `https://${parsed}:${optional ?? 443}`;
    },
    toRequest: () => null,
    toAnswer: answerChecked,
    present: (signals) => ({ ...signals, place: { country: 'FJ' } }),
  });
  t.equal(provider.baseUrl({ key: 'a' }), 'https://a:443');
  t.equal(provider.baseUrl({ key: 'a', port: 8 }), 'https://a:8');
});
