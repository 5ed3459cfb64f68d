import t from 'tap';
import { findInertRules } from '../../src/application/describe-policy.ts';
import { loadPolicy } from '../../src/application/load-policy.ts';
import { compileLinearPattern } from '../../src/platform/linear-pattern.ts';
import { parseYaml } from '../../src/platform/yaml-document.ts';
import { VENDORS } from '../support/vendors.ts';
import { createSource, disabledSlot, slotOf } from './sources.ts';

const CONDITIONS = {
  one: '!stytch.found',
  either: '!stytch.found || !prefactor.found',
  both: '!stytch.found && !prefactor.found',
  guarded: 'request.telemetry_id_present && !prefactor.found',
  negated: '!(prefactor.found)',
  chosen: 'request.telemetry_id_present ? stytch.found : prefactor.found',
  outcome: 'providers.prefactor.outcome == "timeout"',
  request: 'request.telemetry_id_present',
};

const rules = Object.entries(CONDITIONS).map(
  ([id, when]) => `  - {id: ${id}, when: '${when}', verdict: BLOCK, reason: R}`,
);
const loaded = loadPolicy(`policy: p\notherwise: ALLOW\nrules:\n${rules.join('\n')}\n`, {
  providers: VENDORS,
  parse: parseYaml,
  compilePattern: compileLinearPattern,
  sha256: () => 'digest',
});
if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
const policy = loaded.value;

function inertWithout(...disabled: readonly string[]): Record<string, readonly [string, readonly string[]]> {
  const slots = VENDORS.map(({ id, subject }) =>
    disabled.includes(id) ? disabledSlot(id, subject) : slotOf(createSource(id, subject)),
  );
  const found = findInertRules(policy, slots).map(
    ({ rule, kind, providers }) => [rule, [kind, providers]] as const,
  );
  return Object.fromEntries(found);
}

t.test('finds nothing where everything is enabled, or what is disabled is not read', async (t) => {
  t.strictSame(inertWithout(), {});
  t.strictSame(inertWithout('mobilerun'), {});
});

t.test('tells rules that cannot be true from those that still can', async (t) => {
  t.strictSame(inertWithout('prefactor'), {
    either: ['partial', ['prefactor']],
    both: ['inert', ['prefactor']],
    guarded: ['inert', ['prefactor']],
    negated: ['inert', ['prefactor']],
    chosen: ['partial', ['prefactor']],
  });
});

t.test('names every disabled provider that a rule reads', async (t) => {
  const inert = inertWithout('stytch', 'prefactor');
  t.strictSame(inert['one'], ['inert', ['stytch']]);
  t.strictSame(inert['either'], ['inert', ['stytch', 'prefactor']]);
  t.strictSame(inert['chosen'], ['inert', ['stytch', 'prefactor']]);
});

t.test('leaves rules alone that read the outcome or the request only', async (t) => {
  const inert = inertWithout('stytch', 'mobilerun', 'prefactor');
  t.notOk('outcome' in inert);
  t.notOk('request' in inert);
});
