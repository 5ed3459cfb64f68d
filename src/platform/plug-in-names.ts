/** What tells one plug-in from another: its id, and the environment variables that it reads. */
interface NamedPlugIn {
  readonly id: string;
  readonly variables: readonly string[];
}

/** Part of a variable of CEL, an environment prefix, a metrics label. */
const ID = /^[a-z][a-z0-9_]{0,31}$/;
const ENV = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Ill-formed and duplicate ids and variables, one line each. `kind` begins a line: `Provider`, `Sink`. */
export function findNameMistakes(kind: string, plugIns: readonly NamedPlugIn[]): readonly string[] {
  const mistakes = plugIns.flatMap(({ id, variables }) => [
    ...(ID.test(id) ? [] : [`${kind} id "${id}" is not lower snake case of at most 32 characters.`]),
    ...variables
      .filter((env) => !ENV.test(env))
      .map(
        (env) => `Environment variable "${env}" of ${kind.toLowerCase()} "${id}" is not upper snake case.`,
      ),
  ]);
  const ids = duplicatesIn(plugIns.map(({ id }) => id));
  const variables = duplicatesIn(plugIns.flatMap((plugIn) => plugIn.variables));
  return [
    ...mistakes,
    ...ids.map((id) => `${kind} id "${id}" is used twice.`),
    ...variables.map((env) => `Environment variable ${env} is used twice.`),
  ];
}

function duplicatesIn(values: readonly string[]): readonly string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}
