import { Injectable } from '@nestjs/common';
import { Command } from 'nest-commander';
import { readOperatorToken } from '../../../libs/founding/operator-token-file.ts';
import { readSettings } from '../../../libs/settings/settings.ts';
import { Terminal } from '../terminal.ts';
import { WritCommand } from './writ-command.ts';

/** A command on the log itself: the log's driver is loaded only when one of them runs. */
@Injectable()
abstract class FoundingCommand extends WritCommand {
  constructor(protected readonly terminal: Terminal) {
    super();
  }

  /** On a terminal the token, as the last line; output that may be kept names its file only (P5). */
  protected showToken(dataDir: string, file: string): void {
    this.terminal.line(`Operator token: in ${file}`);
    if (this.terminal.tty.out) this.terminal.line(readOperatorToken(dataDir) ?? '');
  }
}

@Command({
  name: 'init',
  description: 'Found a workspace, its owner and an operator token in an empty log; the server must not run',
})
export class InitCommand extends FoundingCommand {
  protected readonly examples = ['writ init', 'DATA_DIR=/var/lib/writ writ init'];

  async run(): Promise<void> {
    const settings = readSettings(this.terminal.env);
    const { foundOnDisk } = await import('../../../libs/founding/found-on-disk.ts');
    const { workspace, tokenFile } = await foundOnDisk(settings, this.terminal.now);
    if (tokenFile === null) {
      this.terminal.line(`There is a workspace already, ${workspace}: nothing was changed.`);
      return;
    }
    this.terminal.line(`Founded workspace ${workspace}.`);
    this.showToken(settings.dataDir, tokenFile);
  }
}

@Command({
  name: 'recover',
  description: 'Make a new operator token when the old one is lost; the server must not run',
})
export class RecoverCommand extends FoundingCommand {
  protected readonly examples = ['writ recover'];

  async run(): Promise<void> {
    const settings = readSettings(this.terminal.env);
    const { recoverOnDisk } = await import('../../../libs/founding/found-on-disk.ts');
    const { tokenFile } = await recoverOnDisk(settings, this.terminal.now);
    this.showToken(settings.dataDir, tokenFile);
    this.terminal.warn(
      'The operator tokens before it still live: list and revoke them (writ token list --catalogue writ).',
    );
  }
}
