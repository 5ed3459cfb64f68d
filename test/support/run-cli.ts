import { Writable } from 'node:stream';
import { runCli } from '../../src/cli/program.ts';

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  /** Whether standard output is a terminal that shows colours. */
  readonly isTerminal?: boolean;
}

interface Ran {
  readonly code: number | null;
  readonly out: Buffer;
  readonly text: string;
  readonly err: string;
  /** Of standard output. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into many shapes.
  readonly json: any;
}

/** Runs the command in this process, with an environment of its own. */
export async function runCommand(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [out, err] = [new Collected(), new Collected()];
  const { env = {}, stdin = '', signal = new AbortController().signal, isTerminal = false } = options;
  Object.assign(out, { isTTY: isTerminal });
  const code = await runCli(args, {
    env,
    loadEnvFile: () => {
      throw new Error('the environment of tests comes from no file');
    },
    stdin: (async function* () {
      yield Buffer.from(stdin);
    })(),
    stdout: out,
    stderr: err,
    version: '0.0.0-test',
    interruption: () => signal,
    become: async () => {
      throw new Error('no program runs here');
    },
  });
  const text = out.bytes().toString();
  return {
    code,
    out: out.bytes(),
    text,
    err: err.bytes().toString(),
    json: text.startsWith('{') && text.trimEnd().split('\n').length === 1 ? JSON.parse(text) : null,
  };
}

class Collected extends Writable {
  readonly #pieces: Buffer[] = [];

  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.#pieces.push(piece);
    done();
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}
