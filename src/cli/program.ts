import { Command, CommanderError, Option } from 'commander';
import {
  type CliArgument,
  type CliCommand,
  type CliContext,
  type CliOption,
  type CliReport,
  CommandFailure,
  EXIT_CODES,
} from './command.ts';
import { COMMANDS, GROUPS } from './registry.ts';

/** The name of the command, as people type it. */
export const NAME = 'riskgate';

const EXITS = `Exit codes: ${EXIT_CODES.ok} done, ${EXIT_CODES.findings} something is wrong with what was looked at, ${EXIT_CODES.usage} wrong usage, ${EXIT_CODES.failure} it could not be done.`;

/** The option that every command has. */
export const JSON_OPTION: CliOption = {
  flags: '--json',
  description: 'print the report as one JSON object',
};

/**
 * Runs the command that the arguments name, and returns its exit code; null where a program has taken over
 * the process. Never rejects for what a user may do wrong.
 */
export async function runCli(args: readonly string[], context: CliContext): Promise<number | null> {
  let exitCode: number | null = EXIT_CODES.ok;
  const isJson = args.includes('--json');
  const program = createProgram(context, isJson, async (command, input) => {
    const report = await command.run(input, context);
    if (report !== null) write(context, report, isJson);
    exitCode = report === null ? null : report.exitCode;
  });
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    const failure = toFailure(error);
    // Commander has written its own messages.
    if (isJson) writeError(context, failure);
    else if (error instanceof CommandFailure) context.stderr.write(`${NAME}: ${failure.message}\n`);
    return failure.exitCode;
  }
}

type Run = (
  command: CliCommand,
  input: { args: string[]; options: Record<string, string | boolean> },
) => Promise<void>;

function createProgram(context: CliContext, isJson: boolean, run: Run): Command {
  const { stdout, stderr, version } = context;
  const program = new Command(NAME)
    .description('ALLOW, CHALLENGE or BLOCK: the service, and what its operators need.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => {
        if (!isJson) stderr.write(text);
      },
    })
    .addHelpText('after', `\n${EXITS}`);
  const groups = new Map<string, Command>();
  for (const command of COMMANDS) {
    const words = command.name.split(' ');
    const [group = ''] = words;
    const parent = words.length === 1 ? program : (groups.get(group) ?? addGroup(program, group));
    if (words.length > 1) groups.set(group, parent);
    addCommand(parent, command, run);
  }
  return program;
}

function addGroup(program: Command, name: string): Command {
  return program
    .command(name)
    .summary(GROUPS[name] ?? '')
    .description(GROUPS[name] ?? '')
    .helpOption('--help', 'print help');
}

function addCommand(parent: Command, command: CliCommand, run: Run): void {
  const { name, summary, details, examples = [], exits = {} } = command;
  const built = parent
    .command(name.split(' ').at(-1) ?? name)
    .summary(summary)
    .description(details === undefined ? `${summary}.` : `${summary}.\n\n${details}`)
    .helpOption('--help', 'print help')
    .allowExcessArguments(false);
  for (const argument of command.arguments ?? []) built.argument(toArgument(argument), argument.description);
  for (const option of [...(command.options ?? []), JSON_OPTION]) built.addOption(toOption(option));
  if (examples.length > 0)
    built.addHelpText('after', `\nExamples:\n${examples.map((one) => `  ${one}`).join('\n')}`);
  const codes = Object.entries(exits).map(([code, meaning]) => `  ${code}  ${meaning}`);
  if (codes.length > 0) built.addHelpText('after', `\nExit codes:\n${codes.join('\n')}`);
  built.action(() => run(command, { args: built.args, options: built.opts() }));
}

function toArgument({ name, isOptional, isMany }: CliArgument): string {
  const words = isMany ? `${name}...` : name;
  return isOptional ? `[${words}]` : `<${words}>`;
}

function toOption({ flags, description, choices, isRequired }: CliOption): Option {
  const option = new Option(flags, description);
  if (choices !== undefined) option.choices([...choices]);
  if (isRequired) option.makeOptionMandatory();
  return option;
}

function write({ stdout, stderr }: CliContext, { lines, json, hasData }: CliReport, isJson: boolean): void {
  const text = isJson ? `${JSON.stringify(json)}\n` : lines.map((line) => `${line}\n`).join('');
  (hasData ? stderr : stdout).write(text);
}

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly exitCode: number;
}

function writeError({ stdout }: CliContext, { code, message, exitCode }: Failure): void {
  if (exitCode !== EXIT_CODES.ok) stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
}

/** What commander throws for help and for the version is no failure. */
function toFailure(error: unknown): Failure {
  if (error instanceof CommandFailure) return error;
  if (!(error instanceof CommanderError)) throw error;
  const { code, exitCode, message } = error;
  const isAsked = exitCode === 0;
  const text = code === 'commander.help' ? 'a command is missing' : message.replace(/^error: /, '');
  return { code: 'usage', message: text, exitCode: isAsked ? EXIT_CODES.ok : EXIT_CODES.usage };
}
