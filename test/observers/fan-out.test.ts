import t from 'tap';
import { observeAll } from '../../src/observers/fan-out.ts';

t.test('tells every observer what it listens to, in order', async (t) => {
  const heard: unknown[] = [];
  const observer = observeAll([
    { onRefusal: ({ code }) => heard.push(['first', code]) },
    { onCustody: ({ result }) => heard.push(['second', result]) },
    {
      onRefusal: ({ code }) => heard.push(['third', code]),
      onBreakerState: ({ provider, state }) => heard.push(['third', provider, state]),
      onProviderSuspect: ({ provider, isSuspect }) => heard.push(['third', provider, isSuspect]),
    },
  ]);
  observer.onRefusal({ code: 'internal' });
  observer.onCustody({ result: 'repeated' });
  observer.onBreakerState({ provider: 'stytch', state: 'open' });
  observer.onProviderSuspect({ provider: 'stytch', isSuspect: true });
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
