import { Command, Option, SubCommand } from 'nest-commander';
import type { LegalHoldPlaced } from '../../../libs/retention/events.ts';
import type { RetentionStatus } from '../../../libs/retention/retention-runner.ts';
import { GroupCommand, type JsonOption, ServerCommand } from './writ-command.ts';

const PATH = '/api/v1/admin/retention';
const HOLDS = '/api/v1/admin/legal-holds';

@SubCommand({ name: 'show', description: 'Show how long usage stays in the log, its archives, and legal holds' })
export class ShowRetentionCommand extends ServerCommand {
  protected readonly examples = ['writ retention show', 'writ retention show --json'];

  async run(_params: string[], { json }: JsonOption): Promise<void> {
    const { text, body } = await this.client.get<RetentionStatus>(PATH);
    this.show(json, text, () => retentionText(body));
  }
}

@SubCommand({ name: 'run', description: 'Begin to archive what is older than the maximum age, as is done every hour' })
export class RunRetentionCommand extends ServerCommand {
  protected readonly examples = ['writ retention run'];

  async run(_params: string[], { json }: JsonOption): Promise<void> {
    const { text } = await this.client.post<RetentionStatus>(`${PATH}/run`, {});
    this.show(json, text, () => 'Begun; `writ retention show` tells how far it is.');
  }
}

interface ReasonOption extends JsonOption {
  readonly reason?: string;
}

/** What is done for a reason, which is kept. */
abstract class HoldCommand extends ServerCommand {
  @Option({ flags: '--reason <text>', description: 'why; kept in the history', required: true })
  parseReason(text: string): string {
    return text;
  }
}

@SubCommand({ name: 'hold', description: 'Place a legal hold: the log lets go of nothing until it is lifted' })
export class PlaceHoldCommand extends HoldCommand {
  protected readonly examples = ['writ retention hold --reason "case 2026-114, asked by counsel"'];

  async run(_params: string[], { reason, json }: ReasonOption): Promise<void> {
    const { text, body } = await this.client.post<LegalHoldPlaced['data']>(HOLDS, { reason });
    this.show(json, text, () => `Legal hold ${body.hold} is in force: the log lets go of nothing.`);
  }
}

@SubCommand({
  name: 'release',
  description: 'Lift a legal hold',
  arguments: '<hold>',
  argsDescription: { hold: 'the id of the hold; `writ retention show` lists them' },
})
export class LiftHoldCommand extends HoldCommand {
  protected readonly examples = ['writ retention release 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --reason "case closed"'];

  async run([hold = '']: string[], { reason, json }: ReasonOption): Promise<void> {
    const { text, body } = await this.client.post<LegalHoldPlaced['data']>(
      `${HOLDS}/${encodeURIComponent(hold)}/lift`,
      { reason },
    );
    this.show(json, text, () => `Legal hold ${body.hold} is lifted.`);
  }
}

export function retentionText(retention: RetentionStatus): string {
  const { max_age_days: days, due_before: before, folder, running, holds, archives, fault } = retention;
  const lines = [
    days === null
      ? 'Usage stays in the log for ever.'
      : `Usage stays in the log for ${days} days: that of days before ${before ?? ''} (UTC) goes into archives in ${folder}.`,
  ];
  if (running) lines.push('Archiving now.');
  for (const { hold, reason, at } of holds) lines.push(`LEGAL HOLD ${hold} since ${at}: ${reason}`);
  for (const { file, events, streams, bytes, at, scavenged } of archives) {
    lines.push(`${file}: ${events} events of ${streams} streams, ${bytes} bytes, written at ${at}`);
    if (!scavenged) lines.push('  the log holds it too');
  }
  if (fault !== null) lines.push(`FAILED at ${fault.at}: ${fault.reason}`);
  return lines.join('\n');
}

export const RETENTION_COMMANDS = [ShowRetentionCommand, RunRetentionCommand, PlaceHoldCommand, LiftHoldCommand];

@Command({
  name: 'retention',
  description: 'How long usage stays in the log, its archives, and legal holds',
  allowExcessArgs: true,
  subCommands: RETENTION_COMMANDS,
})
export class RetentionGroupCommand extends GroupCommand {
  protected readonly examples = ['writ retention show', 'writ retention hold --reason "case 2026-114"'];
}
