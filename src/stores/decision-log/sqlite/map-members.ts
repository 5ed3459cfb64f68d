/** The same list or object, with another value for each member; anything else as it is. */
export function mapMembers(value: unknown, change: (value: unknown, name: string) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => change(item, ''));
  const members = value as Readonly<Record<string, unknown>>;
  // Not by assignment: a member of the name `__proto__` is one like any other.
  return Object.fromEntries(Object.keys(members).map((name) => [name, change(members[name], name)]));
}
