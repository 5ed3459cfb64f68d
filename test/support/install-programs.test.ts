import t from 'tap';
import { BROWSER, ensurePrograms, type Machine } from './install-programs.ts';

t.test('installs nothing where either server, curl and openssl are there', async (t) => {
  for (const server of ['redis-server', 'valkey-server']) {
    const { machine, commands } = createMachine({
      programs: [server, 'curl', 'openssl', 'apt-get'],
      isRoot: true,
    });
    t.equal(ensurePrograms(machine), null);
    t.strictSame(commands, []);
  }
});

t.test('installs what is missing with the package manager at hand', async (t) => {
  const debian = createMachine({ programs: ['apt-get'], isRoot: true });
  t.equal(ensurePrograms(debian.machine), null);
  t.strictSame(debian.commands, [
    'apt-get update',
    'apt-get install --yes --no-install-recommends redis-server curl openssl',
  ]);
  const alpine = createMachine({ programs: ['apk', 'curl', 'openssl'], isRoot: true });
  t.equal(ensurePrograms(alpine.machine), null);
  t.strictSame(alpine.commands, ['apk add --no-cache redis']);
  const mac = createMachine({ programs: ['brew', 'curl', 'openssl'], isRoot: false });
  t.equal(ensurePrograms(mac.machine), null);
  t.strictSame(mac.commands, ['brew install redis']);
});

t.test('says in one line what to install where it cannot', async (t) => {
  for (const settings of [
    { programs: ['curl', 'openssl'], isRoot: true },
    { programs: ['curl', 'openssl', 'apt-get', 'apk'], isRoot: false },
    { programs: ['curl', 'openssl', 'brew'], isRoot: true },
  ]) {
    const { machine, commands } = createMachine(settings);
    const need = ensurePrograms(machine);
    t.match(
      need,
      /^The tests need redis-server or valkey-server on the PATH: .*apt-get install redis-server/,
    );
    t.notMatch(need, /\n|curl/);
    t.strictSame(commands, []);
  }
});

t.test('says so too when the installation fails, and stops at its first failure', async (t) => {
  const { machine, commands } = createMachine({
    programs: ['apt-get', 'curl', 'openssl'],
    isRoot: true,
    fails: true,
  });
  t.match(ensurePrograms(machine), /redis-server/);
  t.strictSame(commands, ['apt-get update']);
});

t.test('installs a browser only where one is asked for', async (t) => {
  const { machine, commands } = createMachine({
    programs: ['apt-get', 'redis-server', 'curl', 'openssl'],
    isRoot: true,
  });
  t.equal(ensurePrograms(machine), null);
  t.strictSame(commands, []);
  t.equal(ensurePrograms(machine, [BROWSER]), null);
  t.strictSame(commands, ['apt-get update', 'apt-get install --yes --no-install-recommends chromium']);
});

interface MachineSettings {
  readonly programs: readonly string[];
  readonly isRoot: boolean;
  readonly fails?: boolean;
}

/** A machine on which an installation brings what it names. */
function createMachine({ programs, isRoot, fails = false }: MachineSettings) {
  const present = new Set(programs);
  const commands: string[] = [];
  const machine: Machine = {
    has: (program) => present.has(program),
    isRoot,
    run: (program, args) => {
      commands.push([program, ...args].join(' '));
      if (fails) return false;
      for (const name of args) present.add(name === 'redis' ? 'redis-server' : name);
      return true;
    },
  };
  return { machine, commands };
}
