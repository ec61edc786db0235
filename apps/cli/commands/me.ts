import { Command } from 'nest-commander';
import type { TokenRecord } from '../../../libs/tokens/record.ts';
import { tokenRecord } from '../show/tokens.ts';
import { type JsonOption, ServerCommand } from './writ-command.ts';

@Command({ name: 'me', description: 'Show the token you call with, its limits and what is used of them' })
export class MeCommand extends ServerCommand {
  protected readonly examples = ['writ me', 'WRIT_TOKEN=$TOKEN writ me'];

  async run(_params: string[], { json }: JsonOption): Promise<void> {
    const { text, body, revision } = await this.client.get<TokenRecord>('/api/v1/me');
    this.show(json, text, () => tokenRecord(body, revision));
  }
}
