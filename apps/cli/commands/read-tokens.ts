import { Option, SubCommand } from 'nest-commander';
import type { TokenRecord } from '../../../libs/tokens/record.ts';
import type { HistoryItem } from '../../../libs/usage/queries.ts';
import { parseTime, parseTokenId } from '../arguments.ts';
import { historyTable } from '../show/history.ts';
import { tokenList } from '../show/tokens.ts';
import { ListCommand, type ListOptions } from './list-command.ts';
import { TokenCommand } from './token-command.ts';
import type { JsonOption } from './writ-command.ts';

interface ListTokensOptions extends ListOptions {
  readonly catalogue?: string;
  readonly owner?: string;
}

@SubCommand({ name: 'list', description: 'List tokens, newest first, dead ones included' })
export class ListTokensCommand extends ListCommand {
  protected readonly examples = ['writ token list', 'writ token list --catalogue comma --all --json'];

  async run(_params: string[], options: ListTokensOptions): Promise<void> {
    const { catalogue, owner } = options;
    await this.list<TokenRecord>(
      (most) => this.client.pages('/api/v1/tokens', { catalogue, owner }, most),
      options,
      tokenList,
    );
  }

  @Option({ flags: '--catalogue <name>', description: 'only those of comma, toado, writ, …' })
  parseCatalogue(text: string): string {
    return text;
  }

  @Option({ flags: '--owner <id>', description: 'only this person’s' })
  parseOwner(text: string): string {
    return text;
  }
}

interface ShowOptions extends JsonOption {
  readonly at?: string;
}

@SubCommand({
  name: 'show',
  description: 'Show a token, now or as it was at a moment',
  arguments: '<id>',
  argsDescription: { id: 'the token’s id' },
})
export class ShowTokenCommand extends TokenCommand {
  protected readonly examples = [
    'writ token show 01J9ZK3V8Q6T4W2Y0B7D5F1G3H',
    'writ token show 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --at 2026-11-24T12:00:00Z',
  ];

  async run(params: string[], { at, json }: ShowOptions): Promise<void> {
    this.showToken(json, await this.client.get<TokenRecord>(this.pathOf(params), { at }));
  }

  @Option({ flags: '--at <time>', description: 'RFC 3339 time' })
  parseAt(text: string): string {
    return parseTime(text, this.terminal.now());
  }
}

@SubCommand({
  name: 'history',
  description: 'Show a token’s whole life and every use, oldest first',
  arguments: '<id>',
  argsDescription: { id: 'the token’s id' },
})
export class HistoryCommand extends ListCommand {
  protected readonly examples = [
    'writ token history 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --all',
    'writ token history 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --all --json > history.jsonl',
  ];

  async run(params: string[], options: ListOptions): Promise<void> {
    const path = `/api/v1/tokens/${parseTokenId(params[0] ?? '')}/history`;
    await this.list<HistoryItem>((most) => this.client.pages(path, {}, most), options, historyTable);
  }
}
