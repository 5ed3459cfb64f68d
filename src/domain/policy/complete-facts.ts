import type { CompiledPolicy, CompiledRule } from './compile.ts';
import type { EvidenceRow } from './evidence-row.ts';
import type { Softness } from './subject-fact.ts';

/** A field that is lacking in a row, and what is known of it all the same. */
interface SoftField {
  /** The place of its fact in the row. */
  readonly place: number;
  readonly name: string;
  readonly softness: Softness;
}

/** The rows that a decision could have had, by what is known of fields that it lacks. */
interface Completions {
  /** Each number that the fields can be; the row itself where none of them is a number. */
  readonly ranges: readonly EvidenceRow[];
  /** The same, and false wherever there is nothing that a field would be about; null where there is no such. */
  readonly nothing: readonly EvidenceRow[] | null;
}

/** Null where the rule reads no such field. */
export function completionsOf(
  rule: CompiledRule,
  policy: CompiledPolicy,
  row: EvidenceRow,
): Completions | null {
  const fields = findSoftFields(rule, policy, row);
  if (fields.length === 0) return null;
  let ranges: EvidenceRow[] = [row];
  for (const field of fields) {
    const { softness } = field;
    if (softness === 'nothing') continue;
    const numbers = Array.from(
      { length: softness.most - softness.least + 1 },
      (_, step) => softness.least + step,
    );
    ranges = ranges.flatMap((each) => numbers.map((number) => withField(each, field, number)));
  }
  const absent = fields.filter(({ softness }) => softness === 'nothing');
  const fill = (each: EvidenceRow) => absent.reduce((filled, field) => withField(filled, field, false), each);
  return { ranges, nothing: absent.length === 0 ? null : ranges.map(fill) };
}

function findSoftFields(rule: CompiledRule, policy: CompiledPolicy, row: EvidenceRow): readonly SoftField[] {
  const fields: SoftField[] = [];
  policy.facts.forEach(({ fact }, index) => {
    const place = policy.providerIds.length + index;
    const value = row[place];
    if (fact.softnessOf === undefined || typeof value !== 'object' || value === null) return;
    for (const name of rule.factReads.get(fact.name) ?? []) {
      if (Object.hasOwn(value, name)) continue;
      const softness = fact.softnessOf(value, [name]);
      if (softness !== null) fields.push({ place, name, softness });
    }
  });
  return fields;
}

function withField(row: EvidenceRow, { place, name }: SoftField, value: number | boolean): EvidenceRow {
  return row.with(place, { ...Object(row[place]), [name]: value });
}
