import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where Debian, Alpine and Homebrew install it, for those that are not on the PATH. */
const FOLDERS = ['/usr/lib/postgresql', '/usr/libexec', '/opt/homebrew/opt', '/usr/local/opt'];

/** Names the folder of another version, to test with. It needs no `pg_basebackup` for what makes no replica. */
const VARIABLE = 'TEST_POSTGRES';

/** The folder of the programs of PostgreSQL; null where there is none. */
export function findPostgres(): string | null {
  const named = process.env[VARIABLE];
  if (named !== undefined) return named;
  const folders = (process.env['PATH'] ?? '').split(':').concat(...FOLDERS.map(foldersBelow));
  return (
    folders.find((folder) =>
      ['initdb', 'postgres', 'pg_basebackup'].every((name) => existsSync(join(folder, name))),
    ) ?? null
  );
}

/** `/usr/lib/postgresql/15/bin`, `/usr/libexec/postgresql16`, `/opt/homebrew/opt/postgresql@17/bin`. */
function foldersBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /^(?:postgresql@?)?\d+$/.test(name));
  return names.flatMap((name) => [join(folder, name, 'bin'), join(folder, name)]);
}
