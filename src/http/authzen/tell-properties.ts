import { SIGNAL_ITEMS_MAX } from '../../domain/evidence.ts';

/** As long as every text that conditions read. */
const LENGTH_MAX = 256;
/** Deeper than anybody nests an attribute. */
const DEPTH_MAX = 4;

/** Properties that are an identifier, and no attribute. */
const IDENTIFIERS: readonly string[] = ['telemetry_id'];

/** What has properties in a question. */
type Properties = Readonly<Record<string, unknown>> | undefined;

/**
 * Properties as rules read them: `subject.role=admin`, one text for each value, and one for each item of a
 * list. Undefined where they are more or longer than conditions may read: none is left out by itself, as a rule
 * could rest on its absence.
 */
export function tellProperties(
  entities: Readonly<Record<'subject' | 'resource' | 'action', Properties>>,
): readonly string[] | undefined {
  const told: string[] = [];
  const tell = (path: string, value: unknown, depth: number): boolean => {
    if (depth > DEPTH_MAX) return false;
    if (Array.isArray(value)) return value.every((item) => tell(path, item, depth + 1));
    if (typeof value === 'object' && value !== null)
      return Object.entries(value).every(([name, part]) => tell(`${path}.${name}`, part, depth + 1));
    const text = `${path}=${String(value)}`;
    if (text.length > LENGTH_MAX || told.length >= SIGNAL_ITEMS_MAX) return false;
    told.push(text);
    return true;
  };
  const isWhole = Object.entries(entities).every(([name, properties = {}]) =>
    Object.entries(properties).every(
      ([property, value]) => IDENTIFIERS.includes(property) || tell(`${name}.${property}`, value, 1),
    ),
  );
  return isWhole ? told : undefined;
}
