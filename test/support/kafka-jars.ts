import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, startProgram } from './start-program.ts';

/** Kafka with all that it needs, from Maven's own repository. */
const ARTIFACT = { groupId: 'org.apache.kafka', artifactId: 'kafka_2.13', version: '4.1.0' } as const;
/** Kept between runs, as what is compiled is. */
const CACHE = join(ROOT, '.tap');
const FOLDER = join(CACHE, `kafka-${ARTIFACT.version}`);

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

/** The folder of Kafka's jars. Maven fetches them where they are not there yet. */
export async function findKafkaJars(t: Teardown): Promise<string> {
  if (existsSync(FOLDER)) return FOLDER;
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, 'kafka-jars-'));
  try {
    writeFileSync(join(work, 'pom.xml'), toProject());
    const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=jars'];
    const program = await startProgram(t, ['mvn', '-q', '-B', ...copy], { cwd: work, env: process.env });
    const { code, stdout, stderr } = await program.ended;
    if (code !== 0) throw new Error(`mvn ended with ${code}:\n${stdout}\n${stderr}`);
    // Another file may have been faster.
    if (!existsSync(FOLDER)) renameSync(join(work, 'jars'), FOLDER);
  } catch (error) {
    if (!existsSync(FOLDER)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  if (readdirSync(FOLDER).length === 0) throw new Error('Maven has copied no jars');
  return FOLDER;
}

function toProject(): string {
  const { groupId, artifactId, version } = ARTIFACT;
  const place = (group: string, name: string, number: string) =>
    `<groupId>${group}</groupId><artifactId>${name}</artifactId><version>${number}</version>`;
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    `${place('riskgate', 'kafka-for-tests', '1')}<packaging>pom</packaging>`,
    `<dependencies><dependency>${place(groupId, artifactId, version)}</dependency></dependencies></project>`,
  ].join('\n');
}
