import { Injectable } from '@nestjs/common';
import { Command, SubCommand } from 'nest-commander';
import { formatVerifier, keyIdText } from '../../../libs/proof/note.ts';
import { readSettings } from '../../../libs/settings/settings.ts';
import { addSigningKey, dropSigningKey, readSigners, signingKeyIn } from '../../../libs/transparency/signing-key.ts';
import { WrongUsage } from '../failures.ts';
import { columns } from '../show/table.ts';
import { Terminal } from '../terminal.ts';
import { GroupCommand, WritCommand } from './writ-command.ts';

/** A command on the file of keys, which a running server reads anew before each signature. */
@Injectable()
abstract class KeyCommand extends WritCommand {
  constructor(protected readonly terminal: Terminal) {
    super();
  }

  protected file(): string {
    const { signingKeyFile, dataDir } = readSettings(this.terminal.env);
    return signingKeyFile ?? signingKeyIn(dataDir);
  }
}

@SubCommand({ name: 'list', description: 'List the keys that sign, newest first, by their public halves' })
export class ListKeysCommand extends KeyCommand {
  protected readonly examples = ['writ key list'];

  async run(): Promise<void> {
    const signers = readSigners(this.file());
    if (signers.length === 0) return this.terminal.line(`There is no key in ${this.file()}.`);
    this.terminal.line(
      columns(
        ['ID', 'PUBLIC KEY'],
        signers.map((signer) => [keyIdText(signer), formatVerifier(signer)]),
      ),
    );
  }
}

@SubCommand({ name: 'add', description: 'Make a new key beside those there are; all of them sign from now on' })
export class AddKeyCommand extends KeyCommand {
  protected readonly examples = ['writ key add', 'SIGNING_KEY_FILE=/run/secrets/writ-signing-key writ key add'];

  /** All keys of a log have its name; the first is made with its world (writ init, or the first start). */
  async run(): Promise<void> {
    const file = this.file();
    const [newest] = readSigners(file);
    if (newest === undefined)
      throw new WrongUsage(`There is no key in ${file} yet: \`writ init\`, or the first start, makes it.`);
    const signer = addSigningKey(file, newest.name);
    this.terminal.line(`Added to ${file}:\n${formatVerifier(signer)}`);
    this.terminal.warn('Publish it (writ audit keys) before you drop the one before it.');
  }
}

@SubCommand({
  name: 'drop',
  description: 'Let a key sign no more; what it signed stays verifiable with its public half',
  arguments: '<key>',
  argsDescription: { key: 'the key’s id, as `writ key list` shows it' },
})
export class DropKeyCommand extends KeyCommand {
  protected readonly examples = ['writ key drop 1a2b3c4d'];

  async run([key = '']: string[]): Promise<void> {
    const file = this.file();
    if (!dropSigningKey(file, key))
      throw new WrongUsage(`${file} holds no key ${key.slice(0, 20)} beside another; the last one is not dropped.`);
    this.terminal.line(`Key ${key} signs no more.`);
  }
}

export const KEY_COMMANDS = [ListKeysCommand, AddKeyCommand, DropKeyCommand];

@Command({
  name: 'key',
  description: 'Keys that sign the history, on the machine that holds them',
  allowExcessArgs: true,
  subCommands: KEY_COMMANDS,
})
export class KeyGroupCommand extends GroupCommand {
  protected readonly examples = ['writ key list', 'writ key add'];
}
