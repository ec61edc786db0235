import { SubCommand } from 'nest-commander';
import { type JsonOption, ServerCommand } from './writ-command.ts';

interface Keys {
  readonly origin: string;
  readonly keys: readonly string[];
  readonly witnesses: readonly string[];
}

@SubCommand({ name: 'keys', description: 'Show the public keys that sign the history; keep them where it is not' })
export class AuditKeysCommand extends ServerCommand {
  protected readonly examples = ['writ audit keys > writ.pub'];

  async run(_params: string[], { json }: JsonOption): Promise<void> {
    const { text, body } = await this.client.get<Keys>('/api/v1/audit/keys');
    this.show(json, text, () => [...body.keys, ...body.witnesses].join('\n'));
  }
}
