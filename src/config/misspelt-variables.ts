import leven from 'leven';
import { allSettings, type PlugInDeclarations } from './config.ts';
import { findServiceLinks } from './service-links.ts';

/** A variable that nothing reads, and the one that it most likely should have been. */
interface MisspeltVariable {
  readonly variable: string;
  readonly meant: string;
}

/** Two letters exchanged, or one wrong, missing or too many, and one more. */
const EDITS_MAX = 2;

/**
 * The variables of `env` that look like ones of ours and are none. Short names and those of OpenTelemetry,
 * whose libraries read more than we do, are left alone.
 */
export function findMisspeltVariables(
  env: Readonly<Record<string, string | undefined>>,
  plugIns: PlugInDeclarations,
): readonly MisspeltVariable[] {
  const known = allSettings(plugIns).map((setting) => setting.env);
  const links = findServiceLinks(env);
  const candidates = known.filter(isTelling);
  return Object.keys(env)
    .filter((name) => env[name] && isTelling(name) && !known.includes(name) && !links.has(name))
    .flatMap((variable) => {
      const meant = candidates.find((name) => isNear(variable, name));
      return meant === undefined ? [] : [{ variable, meant }];
    });
}

function isTelling(name: string): boolean {
  return name.includes('_') && !name.startsWith('OTEL_');
}

/** The unit was left out, or it is a slip. */
function isNear(name: string, known: string): boolean {
  if (known.startsWith(`${name}_`)) return true;
  return leven(name, known, { maxDistance: EDITS_MAX + 1 }) <= EDITS_MAX;
}
