/**
 * True when an object in a valid JSON text has two members of one name: a reader that goes by the grammar
 * (RFC 8259), one character after the other, and compares decoded names.
 */
export function hasTwins(text: string): boolean {
  let at = 0;
  let found = false;
  const skipSpace = () => {
    while (' \t\n\r'.includes(text[at] ?? 'x')) at += 1;
  };
  const readString = (): unknown => {
    const start = at;
    for (at += 1; text[at] !== '"'; at += 1) if (text[at] === '\\') at += 1;
    at += 1;
    return JSON.parse(text.slice(start, at));
  };
  /** From the opening sign to the closing one. */
  const readParts = (close: string, readPart: () => void) => {
    at += 1;
    for (skipSpace(); text[at] !== close; skipSpace()) {
      if (text[at] === ',') at += 1;
      skipSpace();
      readPart();
    }
    at += 1;
  };
  const readObject = () => {
    const names = new Set<unknown>();
    readParts('}', () => {
      const name = readString();
      if (names.has(name)) found = true;
      names.add(name);
      skipSpace();
      at += 1;
      readValue();
    });
  };
  function readValue(): void {
    skipSpace();
    if (text[at] === '{') readObject();
    else if (text[at] === '[') readParts(']', readValue);
    else if (text[at] === '"') readString();
    else while (at < text.length && !' \t\n\r,]}'.includes(text[at] ?? '')) at += 1;
  }
  readValue();
  return found;
}
