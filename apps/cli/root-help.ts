import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { type CommandRunner, InjectCommander } from 'nest-commander';

type CommanderCommand = Parameters<CommandRunner['setCommand']>[0];

const DESCRIPTION = `Command line of Writ, a token authority for AI agents.

It asks the server at WRIT_URL (default http://127.0.0.1:PORT, 3000) with WRIT_TOKEN, else with the
operator token in DATA_DIR/operator-token (default ./data).`;

const AFTER = `
Answers go to stdout, all else to stderr.
Exit codes: 0 done, 1 refused by the server, 2 wrong usage, 3 server unreachable.

Examples:
  writ token create --catalogue comma --name ci --scope reports:read --reads 30 --expires 30d
  writ token list
  writ token rotate 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --overlap 1h
  writ why 01J9ZK3V8Q6T4W2Y0B7D5F1G3H`;

/** The first page of help: every command there is, by group, from the commands themselves. */
@Injectable()
export class RootHelp implements OnApplicationBootstrap {
  constructor(@InjectCommander() private readonly root: object) {}

  onApplicationBootstrap(): void {
    const root = this.root as CommanderCommand;
    root.name('writ').usage('<command> [options]').description(DESCRIPTION);
    root.configureHelp({ visibleCommands: () => [] });
    root.addHelpText('after', () => `\n${overview(root)}\n${AFTER}`);
  }
}

function overview(root: CommanderCommand): string {
  const grouped = root.commands.filter((command) => command.commands.length > 0);
  const rest = root.commands.filter((command) => command.commands.length === 0);
  const groups = [
    ...grouped.map((group) => ({
      title: TITLES[group.name()] ?? group.name(),
      commands: group.commands.map((command) => row(command, group.name())),
    })),
    {
      title: 'Calls',
      commands: rest.filter((command) => !ON_THE_LOG.has(command.name())).map((command) => row(command)),
    },
    {
      title: 'On the machine that holds the log (not over HTTP)',
      commands: rest.filter((command) => ON_THE_LOG.has(command.name())).map((command) => row(command)),
    },
  ].filter(({ commands }) => commands.length > 0);
  const width = Math.max(...groups.flatMap(({ commands }) => commands.map(([usage]) => usage.length)));
  return groups
    .map(({ title, commands }) =>
      [`${title}:`, ...commands.map(([usage, summary]) => `  ${usage.padEnd(width)}  ${summary}`)].join('\n'),
    )
    .join('\n\n');
}

const TITLES: Readonly<Record<string, string>> = {
  audit: 'History',
  key: 'Keys that sign the history, on the machine that holds them (not over HTTP)',
  digest: 'What happened in a period',
  token: 'Tokens',
  routine: 'Routines',
  people: 'People',
  projections: 'Views made from the log',
  retention: 'How long usage stays',
  workspace: 'The workspace',
};

const ON_THE_LOG = new Set(['init', 'recover']);

function row(command: CommanderCommand, group?: string): readonly [usage: string, summary: string] {
  const words = [
    group,
    command.name(),
    ...command.registeredArguments.map((argument) =>
      argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
    ),
  ];
  return [words.filter((word) => word !== undefined).join(' '), command.description()];
}
