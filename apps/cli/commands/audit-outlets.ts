import { SubCommand } from 'nest-commander';
import type { OutletsStatus } from '../../../libs/transparency/outlets.ts';
import { type JsonOption, ServerCommand } from './writ-command.ts';

@SubCommand({
  name: 'outlets',
  description: 'Show what exports by itself: into a folder, to a SIEM; how far it is, and why it stands still',
})
export class AuditOutletsCommand extends ServerCommand {
  protected readonly examples = ['writ audit outlets', 'writ audit outlets --json'];

  async run(_params: string[], { json }: JsonOption): Promise<void> {
    const { text, body } = await this.client.get<OutletsStatus>('/api/v1/admin/outlets');
    this.show(json, text, () => outletsText(body));
  }
}

function outletsText({ scheduled_export: scheduled, pushes }: OutletsStatus): string {
  if (scheduled === null && pushes.length === 0) return 'Nothing exports by itself.';
  const lines: string[] = [];
  if (scheduled !== null) {
    const { folder, every, format, up_to: upTo, next_at: nextAt, begun, last, fault } = scheduled;
    lines.push(
      `folder ${folder}: ${format}, ${every}, the first ${upTo} leaves are there, next at ${nextAt ?? 'no time'}`,
    );
    if (last !== null) lines.push(`  last ${last.file}, ${last.bytes} bytes, at ${last.at}`);
    if (begun !== null) lines.push(`  begun ${begun.file} at ${begun.at}`);
    if (fault !== null) lines.push(`  FAILED at ${fault.at}: ${fault.reason}`);
  }
  for (const { name, leading, up_to: upTo, head, sent, rejected, fault } of pushes) {
    const here = leading ? `${sent} sent since the start, ${rejected} thrown away there` : 'another process pushes';
    lines.push(`push ${name}: up to position ${upTo ?? 'none'} of ${head ?? 'none'}; ${here}`);
    if (fault !== null) lines.push(`  STANDS STILL: ${fault}`);
  }
  return lines.join('\n');
}
