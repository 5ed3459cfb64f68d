import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import t from 'tap';
import { toSpaceProviders } from '../../src/app/space-providers.ts';
import { parseCases } from '../../src/application/load-policy-cases.ts';
import { judgeCases } from '../../src/domain/policy-tests/judge-cases.ts';
import { parseYaml } from '../../src/platform/yaml-document.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';

const directory = new URL('../../policies/', import.meta.url);
const files = readdirSync(directory, { encoding: 'utf8', recursive: true })
  .filter((name) => name.endsWith('.yaml'))
  .sort();
const caseFiles = files.filter((name) => name.endsWith('.test.yaml'));
const policyFiles = files.filter((name) => !name.endsWith('.test.yaml'));

t.test('every policy has its cases beside it', async (t) => {
  t.ok(policyFiles.length >= 3);
  t.same(policyFiles.map((name) => name.replace('.yaml', '.test.yaml')).sort(), caseFiles);
});

for (const name of caseFiles) {
  t.test(`${name} holds`, async (t) => {
    const parsed = parseCases(readFileSync(new URL(name, directory), 'utf8'), parseYaml);
    if (!parsed.ok) throw new Error(parsed.mistakes.join('\n'));
    const { policyFile, read } = parsed.value;
    t.equal(
      policyFile,
      basename(name).replace('.test.yaml', '.yaml'),
      'the cases are for the policy beside them',
    );
    const policy = loadPolicyFile(name.replace('.test.yaml', '.yaml'));
    const cases = read(policy, toSpaceProviders(PROVIDERS));
    if (!cases.ok) throw new Error(cases.mistakes.join('\n'));
    const judged = judgeCases(policy, cases.value);
    t.ok(judged.length >= 8);
    for (const { case: one, differences } of judged) t.same(differences, [], one.name);
    const told = new Set(
      judged.flatMap(({ judgement: { trace } }) =>
        trace.filter(({ result }) => result === 'true').map(({ rule }) => rule),
      ),
    );
    const silent = policy.rules.map(({ source }) => source.id).filter((id) => !told.has(id));
    t.same(silent, [], 'every rule is true in some case');
  });
}
