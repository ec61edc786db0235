import { Command } from 'nest-commander';
import { WrongUsage } from '../failures.ts';
import { AuditExportCommand } from './audit-export.ts';
import { AuditKeysCommand } from './audit-keys.ts';
import { AuditOutletsCommand } from './audit-outlets.ts';
import { AuditVerifyCommand } from './audit-verify.ts';
import { WritCommand } from './writ-command.ts';

export const AUDIT_COMMANDS = [AuditExportCommand, AuditVerifyCommand, AuditKeysCommand, AuditOutletsCommand];

@Command({
  name: 'audit',
  description: 'Export the history and prove that it is whole',
  allowExcessArgs: true,
  subCommands: AUDIT_COMMANDS,
})
export class AuditGroupCommand extends WritCommand {
  protected readonly examples = ['writ audit export --to history.jsonl', 'writ audit verify --help'];

  /** Reached only where no subcommand matched. */
  async run([command]: string[]): Promise<void> {
    if (command !== undefined) throw new WrongUsage(`There is no \`writ audit ${command.slice(0, 20)}\`.`);
    this.command.help({ error: true });
  }
}
