import type { Test } from 'tap';
import { PERIOD_MS } from '../../src/application/decision-log/decision-log.ts';
import { ALL_GROUP_KEYS, type GroupKey } from '../../src/domain/decision-log/group-keys.ts';
import { OUTCOME_LABELS, WITHDRAWN } from '../../src/domain/decision-log/outcome-label.ts';
import {
  type LabelInForce,
  matchesFilter,
  type RecordFilter,
} from '../../src/domain/decision-log/record-filter.ts';
import { hashesOfPart, SUBJECT_PARTS } from '../../src/domain/decision-log/subject-parts.ts';
import { toRfc3339 } from '../../src/platform/rfc3339.ts';
import {
  type Counts,
  createMixed,
  groupPlainly,
  hashOf,
  MIXED_FILTERS,
  MIXED_SPAN_MS,
  type MixedDecisions,
  raise,
  toPlain,
} from '../support/mixed-decisions.ts';
import { createRandom, pick } from '../support/random.ts';
import type { OpenReader, ReaderTwin } from './decision-log.ts';

const RECORDS = 240;

interface Mixture extends OpenReader, MixedDecisions {
  readonly sinceMs: number;
  readonly untilMs: number;
}

async function openMixture(t: Test, twin: ReaderTwin): Promise<Mixture> {
  const open = await twin.open(t);
  const { sink, reader } = open;
  const random = createRandom(11);
  const nowMs = open.nowMs();
  const records = Array.from({ length: RECORDS }, (_, serial) => createMixed(random, nowMs, serial));
  for (let place = 0; place < RECORDS; place += 60)
    await sink.append({ number: place / 60 + 1, records: records.slice(place, place + 60) });
  const labels = new Map<string, NonNullable<LabelInForce>>();
  const labelledAt = toRfc3339(nowMs);
  for (const { decision_id: id } of records.filter((_, place) => place % 6 === 0)) {
    const label = pick(random, OUTCOME_LABELS);
    labels.set(id, label);
    await reader.label(id, { label, at: labelledAt, note: null, caller: 'c' }, true);
    if (labels.size % 5 !== 0) continue;
    await reader.label(id, { label: WITHDRAWN, at: labelledAt, note: null, caller: 'c' }, false);
    labels.delete(id);
  }
  const untilMs = (Math.floor(nowMs / PERIOD_MS.minute) + 1) * PERIOD_MS.minute;
  return {
    ...open,
    records,
    labels,
    labelledAt,
    sinceMs: untilMs - MIXED_SPAN_MS - PERIOD_MS.minute,
    untilMs,
  };
}

/** What every log promises those who count decisions by filters, and ask about subjects. */
export async function testDecisionGroups(t: Test, twin: ReaderTwin): Promise<void> {
  t.test('counts by every key, and every two keys, as a plain count of all records does', async (t) => {
    const mixture = await openMixture(t, twin);
    const { reader, sinceMs, untilMs } = mixture;
    const window = { since: toRfc3339(sinceMs), until: toRfc3339(untilMs) };
    const check = async (name: string, filter: RecordFilter, by: readonly GroupKey[], stepMs: number) => {
      const grouping = { sinceMs, stepMs, by };
      const found = await reader.group({ filter: { ...filter, ...window }, ...grouping });
      t.equal(found.coveredFromMs, null);
      t.same(toPlain(found), groupPlainly(mixture, filter, grouping), name);
    };
    for (const key of ALL_GROUP_KEYS) await check(key, {}, [key], 20 * PERIOD_MS.minute);
    for (const [place, first] of ALL_GROUP_KEYS.entries())
      for (const second of ALL_GROUP_KEYS.slice(place + 1))
        await check(`${first} and ${second}`, {}, [first, second], MIXED_SPAN_MS + PERIOD_MS.minute);
    await check('country and decision', {}, ['country', 'decision'], MIXED_SPAN_MS + PERIOD_MS.minute);
    for (const [name, filter] of Object.entries(MIXED_FILTERS)) {
      await check(`${name}, alone`, filter, [], PERIOD_MS.minute);
      await check(`${name}, by two keys`, filter, ['rule', 'asn'], PERIOD_MS.hour);
      await check(`${name}, by label`, filter, ['label', 'decision'], PERIOD_MS.hour);
    }
  });

  t.test('counts what is in the window alone', async (t) => {
    const mixture = await openMixture(t, twin);
    const { reader, sinceMs } = mixture;
    const [fromMs, toMs] = [sinceMs + 30 * PERIOD_MS.minute, sinceMs + 90 * PERIOD_MS.minute];
    const filter = { since: toRfc3339(fromMs), until: toRfc3339(toMs) };
    const grouping = { sinceMs: fromMs, stepMs: 10 * PERIOD_MS.minute, by: ['decision', 'country'] } as const;
    t.same(toPlain(await reader.group({ filter, ...grouping })), groupPlainly(mixture, filter, grouping));
  });

  t.test('counts the subjects of decisions', async (t) => {
    const { reader, records, labels, sinceMs, untilMs } = await openMixture(t, twin);
    const window = { since: toRfc3339(sinceMs), until: toRfc3339(untilMs) };
    for (const filter of [{}, { decision: 'BLOCK' }, { label: 'fraud' }] as const) {
      const { subjects, coveredFromMs } = await reader.distinct({ ...filter, ...window });
      t.equal(coveredFromMs, null);
      for (const part of SUBJECT_PARTS) {
        const exact = new Set(
          records
            .filter((record) => matchesFilter(record, filter, labels.get(record.decision_id) ?? null))
            .flatMap(({ subject }) => hashesOfPart(subject, part)),
        ).size;
        t.ok(Math.abs(subjects[part] - exact) <= 0.03 * exact, `${part}: ${subjects[part]} of ${exact}`);
      }
    }
  });

  t.test('tells what it holds of a subject', async (t) => {
    const { reader, records, labels } = await openMixture(t, twin);
    for (const [part, hash] of [
      ['telemetry', hashOf('7', 7)],
      ['device', hashOf('d', 9)],
      ['account', hashOf('ac', 2)],
      ['ip', hashOf('1', 1)],
      ['ip', hashOf('b', 2)],
      ['visitor', hashOf('f', 1)],
    ] as const) {
      const about = records.filter((record) => matchesFilter(record, { [part]: [hash] }, null));
      t.ok(about.length > 0, `${part} is there`);
      const times = about.map(({ decided_at: at }) => Date.parse(at));
      const found = await reader.subject(part, hash);
      const verdicts: Counts = {};
      const said: Counts = {};
      for (const { decision, decision_id: id } of about) {
        raise(verdicts, decision);
        const label = labels.get(id);
        if (label !== undefined) raise(said, label);
      }
      t.match(found, {
        firstSeenMs: Math.min(...times),
        lastSeenMs: Math.max(...times),
        total: about.length,
        isWhole: true,
      });
      t.same(found?.verdicts, verdicts);
      t.same(found?.labels, said);
      const days = found?.days.map(({ verdicts: ofDay }) => Object.values(ofDay).reduce((a, b) => a + b, 0));
      t.equal(
        days?.reduce((sum, count) => sum + count, 0),
        about.length,
      );
      for (const other of SUBJECT_PARTS) {
        const seen: Counts = {};
        for (const { subject } of about)
          for (const seenHash of hashesOfPart(subject, other)) if (seenHash !== hash) raise(seen, seenHash);
        const { distinct, subjects } = found?.seenWith[other] ?? { distinct: -1, subjects: [] };
        t.equal(distinct, Object.keys(seen).length, `${other}s of ${part} ${hash}`);
        t.equal(subjects.length, Math.min(20, distinct));
        for (const { hash: seenHash, count, firstSeenMs, lastSeenMs } of subjects) {
          t.equal(count, seen[seenHash]);
          const together = about.filter(({ subject }) => hashesOfPart(subject, other).includes(seenHash));
          const seenMs = together.map(({ decided_at: at }) => Date.parse(at));
          t.same([firstSeenMs, lastSeenMs], [Math.min(...seenMs), Math.max(...seenMs)]);
        }
      }
    }
    t.equal(await reader.subject('account', hashOf('1', 1)), null, 'not as another part');
    t.equal(await reader.subject('device', 'nobody'), null);
  });
}
