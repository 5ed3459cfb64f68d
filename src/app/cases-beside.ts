import { existsSync } from 'node:fs';

const YAML = /\.ya?ml$/;

/** The file of cases beside a policy, `shop.test.yaml` beside `shop.yaml`; null where there is none. */
export function casesBeside(policyPath: string): string | null {
  const paths = ['.test.yaml', '.test.yml'].map((ending) => policyPath.replace(YAML, ending));
  return paths.find((path) => path !== policyPath && existsSync(path)) ?? null;
}
