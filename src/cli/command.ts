import type { Writable } from 'node:stream';

/** How a command ends. */
export const EXIT_CODES = {
  /** It did what was asked. */
  ok: 0,
  /** It did, and found something that is wrong. */
  findings: 1,
  /** It was asked for something that there is not. */
  usage: 2,
  /** It could not do it: a file, a lock, a store, or it was interrupted. */
  failure: 3,
} as const;

/** One of the codes above. */
type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

/** An argument by its place. */
export interface CliArgument {
  readonly name: string;
  readonly description: string;
  readonly isOptional?: boolean;
  /** Takes all that follow too. */
  readonly isMany?: boolean;
}

/** An option by its name. */
export interface CliOption {
  /** As help shows it: `--out <file>`, or `--all` for one without a value. */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  readonly isRequired?: boolean;
}

/** What was given on the command line. */
export interface CliInput {
  readonly args: readonly string[];
  /** By their long names in camel case; one that was not given is absent. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

/** What a command may use of its process. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Adds the variables of a file to the environment, where it does not have them. Throws with a `code`. */
  readonly loadEnvFile: (path: string) => void;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** The version of riskgate. */
  readonly version: string;
  /** Lets a command take care of an interruption, which otherwise ends the process. */
  interruption(): AbortSignal;
  /** Gives the process to a program that reads its own arguments, and ends by itself. */
  become(args: readonly string[], load: () => Promise<unknown>): Promise<void>;
}

/** What a command has to say: for people and, with `--json`, for programs. */
export interface CliReport {
  readonly exitCode: ExitCode;
  readonly lines: readonly string[];
  readonly json: unknown;
  /** True where standard output carries data, so that the report goes to standard error. */
  readonly hasData?: boolean;
}

/**
 * One command: a file in `commands/` and a line in the registry. What it needs is imported by `run`, so that
 * help needs none of it.
 */
export interface CliCommand {
  /** Its words: `history export`. */
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** What a reader of its help needs to know beside its options. */
  readonly details?: string;
  readonly arguments?: readonly CliArgument[];
  readonly options?: readonly CliOption[];
  readonly examples?: readonly string[];
  /** What the codes 0 and 1 say of this command, where that is not plain. */
  readonly exits?: Readonly<Record<number, string>>;
  /** Null: a program has taken over the process. Rejects with a `CommandFailure` where it cannot be done. */
  run(input: CliInput, context: CliContext): Promise<CliReport | null>;
}

/** Why a command ends without having done what was asked. Its message is for people. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode;
  /** Lower snake case. */
  readonly code: string;

  constructor(code: string, message: string, exitCode: ExitCode = EXIT_CODES.failure) {
    super(message);
    this.code = code;
    this.exitCode = exitCode;
  }
}
