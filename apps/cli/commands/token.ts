import { Command } from 'nest-commander';
import { WrongUsage } from '../failures.ts';
import { CreateTokenCommand } from './create-token.ts';
import { ChangeTokenCommand } from './change-token.ts';
import { ResumeCommand, RevokeCommand, RotateCommand, SuspendCommand } from './end-token.ts';
import { HistoryCommand, ListTokensCommand, ShowTokenCommand } from './read-tokens.ts';
import { WritCommand } from './writ-command.ts';

export const TOKEN_COMMANDS = [
  CreateTokenCommand,
  ListTokensCommand,
  ShowTokenCommand,
  HistoryCommand,
  ChangeTokenCommand,
  RotateCommand,
  SuspendCommand,
  ResumeCommand,
  RevokeCommand,
];

@Command({
  name: 'token',
  description: 'Create, change, end and look at tokens',
  allowExcessArgs: true,
  subCommands: TOKEN_COMMANDS,
})
export class TokenGroupCommand extends WritCommand {
  protected readonly examples = ['writ token create --help'];

  /** Reached only where no subcommand matched. */
  async run([command]: string[]): Promise<void> {
    if (command !== undefined) throw new WrongUsage(`There is no \`writ token ${command.slice(0, 20)}\`.`);
    this.command.help({ error: true });
  }
}
