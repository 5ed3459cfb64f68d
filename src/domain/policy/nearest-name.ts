/** Two letters exchanged, or one wrong, missing or too many, and one more. */
const EDITS_MAX = 2;

/** The name that was most likely meant, or null where none is near. */
export function nearestName(name: string, known: Iterable<string>): string | null {
  let nearest: string | null = null;
  // With every letter another, it is another name.
  let fewest = Math.min(EDITS_MAX + 1, name.length);
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > EDITS_MAX) continue;
    const edits = editsBetween(name, candidate);
    if (edits < fewest) {
      fewest = edits;
      nearest = candidate;
    }
  }
  return nearest;
}

/** The letters to replace, add or remove (Levenshtein's distance). */
function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, length) => length);
  for (let index = 0; index < from.length; index += 1) {
    let edits = index + 1;
    const next = [edits];
    for (let place = 0; place < to.length; place += 1) {
      const replaced = (row[place] ?? 0) + (to[place] === from[index] ? 0 : 1);
      edits = Math.min(replaced, edits + 1, (row[place + 1] ?? 0) + 1);
      next.push(edits);
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
