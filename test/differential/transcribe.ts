import type { EnvoyClient } from '../support/envoy-client.ts';
import { createEnvoyClient } from '../support/envoy-client.ts';
import { type Connection, openConnection, type WireAnswer } from './connection.ts';
import type { GrpcStep } from './generated-gateway-requests.ts';
import { ask, type HttpStep } from './generated-requests.ts';
import { createPlaceholders } from './placeholders.ts';
import type { Group, Scenario, Step } from './scenarios.ts';
import { createSteppedClock, type RunningService, type ServiceModules, startService } from './service.ts';
import { startUpstreams, type UpstreamServer } from './upstream-server.ts';

/** All that was seen of a group of requests, as text. */
export interface Transcript {
  readonly group: string;
  readonly text: string;
  /** Decisions that were asked for. */
  readonly decisions: number;
  /** Their records, as they were written. */
  readonly records: readonly string[];
}

/** Runs one scenario against a checkout's service from its start to its end. */
export async function transcribe(
  modules: ServiceModules,
  scenario: Scenario,
): Promise<readonly Transcript[]> {
  const clock = createSteppedClock();
  const upstreams = await startUpstreams(() => clock.nowMs());
  const service = await startService(modules, scenario.service, upstreams.origin, clock);
  const ends: (() => void)[] = [];
  const run: Run = {
    service,
    upstreams,
    advance: clock.advance,
    connection: openConnection(service.port),
    envoy:
      service.grpcPort === null
        ? null
        : createEnvoyClient({ teardown: (end: () => void) => ends.push(end) } as never, service.grpcPort),
  };
  const heard: HeardGroup[] = [];
  for (const group of scenario.groups) heard.push(await hear(run, group));
  run.connection.close();
  for (const end of ends) end();
  await upstreams.close();
  await service.close();
  const records = recordsById(service.recordLines);
  return heard.map((group) => toTranscript(group, records));
}

interface Run {
  readonly service: RunningService;
  readonly upstreams: UpstreamServer;
  readonly advance: (ms: number) => void;
  readonly connection: Connection;
  readonly envoy: EnvoyClient | null;
}

/** What one step showed: lines, and the decision whose record belongs to them. */
interface Heard {
  readonly lines: readonly string[];
  readonly decisionId: string | null;
}

interface HeardGroup {
  readonly name: string;
  readonly heard: readonly Heard[];
}

async function hear(run: Run, { name, steps }: Group): Promise<HeardGroup> {
  const heard: Heard[] = [];
  for (const step of steps) {
    const logged = run.service.logLines.length;
    const answers = await take(run, step);
    if (answers.length === 0) continue;
    heard.push(...answers);
    heard.push({ lines: run.service.logLines.slice(logged).flatMap(toDecisionLine), decisionId: null });
    for (const { decisionId } of answers)
      if (decisionId !== null) heard.push({ lines: await readDetail(run, decisionId), decisionId: null });
  }
  return { name, heard };
}

async function take(run: Run, step: Step): Promise<readonly Heard[]> {
  switch (step.kind) {
    case 'advance':
      run.advance(step.ms);
      return [];
    case 'forget':
      run.upstreams.forgetAll(step.isForgotten);
      return [];
    case 'hold':
      run.upstreams.holdUntil(step.calls, () => run.advance(step.ms));
      return [];
    case 'http':
      return send(run, [step]);
    case 'together':
      return send(run, step.requests);
    case 'grpc':
      return [await call(run, step)];
  }
}

async function send({ connection }: Run, steps: readonly HttpStep[]): Promise<readonly Heard[]> {
  const answers = await connection.send(steps);
  return steps.map((step, place) => toHeard(step, answers[place]));
}

function toHeard(step: HttpStep, { head, body }: WireAnswer = { head: [], body: '' }): Heard {
  const id = head.map((line) => /^x-(?:risk-)?decision-id: ([0-9a-f-]{36})$/i.exec(line)?.[1]).find(Boolean);
  const shown = step.target === '/metrics' ? decisionMetrics(body) : body;
  const asked = `> ${step.method} ${step.target} ${step.body ?? ''}`;
  return { lines: [asked, ...withoutChance(head, step.target), '', shown], decisionId: id ?? null };
}

/**
 * The head without values of the machine: its time, its log's random name, the length of its measurements.
 */
function withoutChance(head: readonly string[], target: string): readonly string[] {
  const chance = target === '/metrics' ? /^(date|etag|content-length): .*/i : /^(date|etag): .*/i;
  return head.map((line) => line.replace(chance, '$1: ...'));
}

async function call({ envoy }: Run, { question }: GrpcStep): Promise<Heard> {
  if (envoy === null) throw new Error('the scenario has no GRPC_PORT');
  const { error, ...reply } = await envoy.check(question);
  const id = reply.headers.find(([name]) => name === 'x-risk-decision-id')?.[1] ?? null;
  const lines = [`> grpc ${JSON.stringify(question)}`, JSON.stringify({ code: error?.code, ...reply })];
  return { lines, decisionId: id?.length === 36 ? id : null };
}

async function readDetail({ connection }: Run, id: string): Promise<readonly string[]> {
  const [answer] = await connection.send([ask('GET', `/v1/decisions/${id}`)]);
  return [`detail ${answer?.head[0]}`, answer?.body ?? ''];
}

/** The line of a decision, without what the logger adds to every line. */
function toDecisionLine(line: string): readonly string[] {
  if (!line.includes('"decision.made"')) return [];
  return [`log ${line.trim().replace(/"time":"[^"]*",?/, '')}`];
}

/** The counts of decisions: what else is measured differs from run to run. */
function decisionMetrics(text: string): string {
  return text
    .split('\n')
    .filter((line) => /^riskgate_(?:decisions|reasons|waivers|custody|provider_calls|evidence)/.test(line))
    .join('\n');
}

function recordsById(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.map((line) => [(JSON.parse(line) as { decision_id?: string }).decision_id ?? '', line] as const),
  );
}

function toTranscript({ name, heard }: HeardGroup, records: ReadonlyMap<string, string>): Transcript {
  const { replace } = createPlaceholders();
  const own: string[] = [];
  const lines = heard.flatMap(({ lines: seen, decisionId }) => {
    const record = decisionId === null ? undefined : records.get(decisionId);
    if (record !== undefined) own.push(record);
    return [...seen, ...(record === undefined ? [] : [`record ${record}`]), ''];
  });
  const decisions = heard.filter(({ decisionId }) => decisionId !== null).length;
  return { group: name, text: replace(lines.join('\n')), decisions, records: own };
}
