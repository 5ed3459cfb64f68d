import { type CliCommand, EXIT_CODES } from '../command.ts';

/** Lists every variable that the service reads. */
export const configTable: CliCommand = {
  name: 'config table',
  summary: 'List every environment variable that the service reads',
  details: 'With its default and its meaning. Values are not printed: they may be secrets.',
  run: async () => {
    const { allSettings } = await import('../../config/config.ts');
    const { PROVIDERS } = await import('../../providers/registry.ts');
    const { SINKS } = await import('../../stores/decision-log/registry.ts');
    const variables = allSettings({ providers: PROVIDERS, sinks: SINKS }).map((setting) => ({
      variable: setting.env,
      default: setting.default ?? null,
      optional: setting.isOptional === true || setting.default !== undefined,
      secret: setting.isSecret === true,
      meaning: setting.description,
    }));
    return {
      exitCode: EXIT_CODES.ok,
      lines: variables.flatMap(({ variable, default: byDefault, meaning }) => [
        byDefault === null ? variable : `${variable}=${byDefault}`,
        `    ${meaning}`,
      ]),
      json: { variables },
    };
  },
};
