import t from 'tap';
import { toSpaceProviders } from '../../src/app/space-providers.ts';
import { generateCases } from '../../src/domain/policy-tests/generate-cases.ts';
import { judgeCases } from '../../src/domain/policy-tests/judge-cases.ts';
import { readCases } from '../../src/domain/policy-tests/read-cases.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';

const providers = toSpaceProviders(PROVIDERS);

for (const name of ['default.yaml', 'strict.yaml']) {
  t.test(`every way in which ${name} decides can be written as a case`, async (t) => {
    const policy = loadPolicyFile(name);
    const found = generateCases(policy, [], providers, name);
    t.match(found, { left: [], covered: 0 });
    t.equal(found?.generated, found?.classes);
    t.ok((found?.classes ?? 0) > policy.rules.length);
    const read = readCases(found?.document, policy, providers);
    if (!read.ok) throw new Error(JSON.stringify(read.mistakes));
    const judged = judgeCases(policy, read.value);
    t.same(
      judged.filter(({ differences }) => differences.length > 0),
      [],
    );
    t.match(generateCases(policy, read.value, providers, name), { document: null, generated: 0 });
  });
}
