import t from 'tap';
import { observeAll } from '../../src/observers/fan-out.ts';

/** What a suspicion brings beside its end or beginning. */
const SUSPICION = { cause: 'known_ids_not_found', samples: 200, notFound: 150 } as const;

t.test('tells every observer what it listens to, in order', async (t) => {
  const heard: unknown[] = [];
  const observer = observeAll([
    { onRefusal: ({ code }) => heard.push(['first', code]) },
    { onCustody: ({ result }) => heard.push(['second', result]) },
    {
      onRefusal: ({ code }) => heard.push(['third', code]),
      onCircuitChange: ({ provider, state }) => heard.push(['third', provider, state]),
      onSuspectChange: ({ provider, isSuspect }) => heard.push(['third', provider, isSuspect]),
    },
  ]);
  observer.onRefusal({ code: 'internal' });
  observer.onCustody({ result: 'repeated' });
  observer.onCircuitChange({ provider: 'stytch', state: 'open' });
  observer.onSuspectChange({ provider: 'stytch', isSuspect: true, ...SUSPICION });
  t.strictSame(heard, [
    ['first', 'internal'],
    ['third', 'internal'],
    ['second', 'repeated'],
    ['third', 'stytch', 'open'],
    ['third', 'stytch', true],
  ]);
});

t.test('is silent where nobody listens', async (t) => {
  const observer = observeAll([]);
  observer.onRefusal({ code: 'internal' });
  observer.onProviderCall({ provider: 'stytch', outcome: 'ok', failure: null, latencyMs: 1, attempts: 1 });
  t.pass();
});
