import t from 'tap';
import type { AlertRule } from '../../../src/domain/alerts/alert-rule.ts';
import { findUnknownNames } from '../../../src/domain/alerts/unknown-names.ts';
import { loadPolicyFile } from '../../support/load-policy-file.ts';

const policy = loadPolicyFile('default.yaml');
const KNOWN = policy.rules[0]?.source.id ?? '';

t.test('finds the rules and lists of alerts that a policy does not have', async (t) => {
  const spike = { when: 'rule_spike', severity: 'warning', times: 3, minimum: 30 } as const;
  const list = { when: 'list_changed', severity: 'warning', window: 60_000, above: 0 } as const;
  const alerts: readonly AlertRule[] = [
    { name: 'all-rules', ...spike },
    { name: 'known-rule', ...spike, rule: KNOWN },
    { name: 'other-rule', ...spike, rule: 'no-such-rule' },
    { name: 'all-lists', ...list },
    { name: 'known-list', ...list, list: 'blocked' },
    { name: 'other-list', ...list, list: 'blokced' },
    // Its `list` is of no meaning.
    { name: 'drops', ...list, when: 'log_dropping' },
    { name: 'policy', when: 'policy_refused', severity: 'info' },
  ];
  t.same(findUnknownNames(alerts, policy), [
    { alert: 'other-rule', kind: 'rule', name: 'no-such-rule' },
    { alert: 'other-list', kind: 'list', name: 'blokced' },
  ]);
});
