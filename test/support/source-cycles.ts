import { importsOf, type Sources } from './source-files.ts';

/** A cycle of imports for each that there is, as `a → b → a`: at least one of every knot of files. */
export function findCycles(sources: Sources): readonly string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const place = path.indexOf(file);
    if (place >= 0) cycles.push([...path.slice(place), file].join(' → '));
    if (place >= 0 || done.has(file)) return;
    path.push(file);
    for (const next of new Set(importsOf(file, sources.get(file) ?? '').flatMap(toOwn))) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of sources.keys()) visit(file);
  return cycles;
}

function toOwn({ to, isOwn }: { readonly to: string; readonly isOwn: boolean }): readonly string[] {
  return isOwn ? [to] : [];
}
