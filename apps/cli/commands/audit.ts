import { Command } from 'nest-commander';
import { AuditExportCommand } from './audit-export.ts';
import { AuditKeysCommand } from './audit-keys.ts';
import { AuditOutletsCommand } from './audit-outlets.ts';
import { AuditVerifyCommand } from './audit-verify.ts';
import { GroupCommand } from './writ-command.ts';

export const AUDIT_COMMANDS = [AuditExportCommand, AuditVerifyCommand, AuditKeysCommand, AuditOutletsCommand];

@Command({
  name: 'audit',
  description: 'Export the history and prove that it is whole',
  allowExcessArgs: true,
  subCommands: AUDIT_COMMANDS,
})
export class AuditGroupCommand extends GroupCommand {
  protected readonly examples = ['writ audit export --to history.jsonl', 'writ audit verify --help'];
}
