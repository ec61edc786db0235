import { Command } from 'nest-commander';
import { CreateTokenCommand } from './create-token.ts';
import { ChangeTokenCommand } from './change-token.ts';
import { ResumeCommand, RevokeCommand, RotateCommand, SuspendCommand } from './end-token.ts';
import { HistoryCommand, ListTokensCommand, ShowTokenCommand } from './read-tokens.ts';
import { GroupCommand } from './writ-command.ts';

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
export class TokenGroupCommand extends GroupCommand {
  protected readonly examples = ['writ token create --help'];
}
