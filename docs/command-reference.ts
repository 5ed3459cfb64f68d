import type { CliCommand } from '../src/cli/command.ts';
import { JSON_OPTION, NAME } from '../src/cli/program.ts';
import { COMMANDS } from '../src/cli/registry.ts';
import { code, toTable } from './markdown-table.ts';

/** Every command with its arguments, options, exit codes and examples, from its definition. */
export function renderCommands(): string {
  const overview = COMMANDS.map(({ name, summary }) => [
    `[${code(`${NAME} ${name}`)}](#${anchorOf(name)})`,
    summary,
  ]);
  return [toTable(['Command', 'What it does'], overview), '', ...COMMANDS.flatMap(renderCommand)].join('\n');
}

function renderCommand(command: CliCommand): readonly string[] {
  const { name, summary, details, arguments: args = [], options = [], exits = {}, examples = [] } = command;
  const given = [
    ...args.map(({ name: arg, description, isMany, isOptional }) => [
      code(bracketed(isMany ? `${arg}...` : arg, isOptional)),
      description,
    ]),
    ...[...options, JSON_OPTION].map(({ flags, description, choices, isRequired }) => [
      code(flags),
      `${description}${choices ? `: ${choices.map(code).join(', ')}` : ''}${isRequired ? ' (required)' : ''}`,
    ]),
  ];
  const codes = Object.entries(exits).map(([number, meaning]) => `exit ${number}: ${meaning}`);
  return [
    `### ${name}`,
    '',
    `${summary}.${details === undefined ? '' : ` ${details}`}${codes.length > 0 ? ` ${capitalise(codes.join('; '))}.` : ''}`,
    '',
    toTable(['Argument or option', 'Meaning'], given),
    '',
    ...(examples.length > 0 ? ['```sh', ...examples, '```', ''] : []),
  ];
}

function bracketed(words: string, isOptional = false): string {
  return isOptional ? `[${words}]` : `<${words}>`;
}

/** As GitHub makes it of a heading. */
function anchorOf(name: string): string {
  return name.replaceAll(' ', '-');
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
