import { Injectable } from '@nestjs/common';
import { CommandRunner, Help, Option } from 'nest-commander';
import { remindOfOperatorToken } from '../connection.ts';
import { WrongUsage } from '../failures.ts';
import { Terminal } from '../terminal.ts';
import { WritClient } from '../writ-client.ts';

export interface JsonOption {
  readonly json?: boolean;
}

type CommanderCommand = Parameters<CommandRunner['setCommand']>[0];

/** What all commands share: a wrong line is thrown, not exited on, and help ends in examples. */
export abstract class WritCommand extends CommandRunner {
  protected abstract readonly examples: readonly string[];

  override setCommand(command: CommanderCommand): this {
    command.allowExcessArguments(false).exitOverride((error) => {
      throw error;
    });
    return super.setCommand(command);
  }

  @Help('after')
  helpExamples(): string {
    return `\nExamples:\n${this.examples.map((example) => `  ${example}`).join('\n')}`;
  }
}

/** What others are subcommands of: `writ token`. */
export abstract class GroupCommand extends WritCommand {
  /** Reached only where no subcommand matched. */
  async run([command]: string[]): Promise<void> {
    if (command !== undefined) {
      throw new WrongUsage(`There is no \`writ ${this.command.name()} ${command.slice(0, 20)}\`.`);
    }
    this.command.help({ error: true });
  }
}

/** A command that asks the server. Decorated, so that those who extend it inherit what it is given. */
@Injectable()
export abstract class ServerCommand extends WritCommand {
  constructor(
    protected readonly client: WritClient,
    protected readonly terminal: Terminal,
  ) {
    super();
  }

  @Option({ flags: '--json', description: 'print the server’s JSON as it came' })
  parseJson(): boolean {
    return true;
  }

  /** The answer for people or for scripts, then what people should not forget. */
  protected show(json: boolean | undefined, text: string, forPeople: () => string): void {
    this.terminal.line(json === true ? text : forPeople());
    remindOfOperatorToken(this.terminal);
  }
}
