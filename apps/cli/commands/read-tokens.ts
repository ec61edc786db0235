import { Option, SubCommand } from 'nest-commander';
import type { TokenRecord } from '../../../libs/tokens/record.ts';
import type { HistoryItem } from '../../../libs/usage/queries.ts';
import { parseCount, parseTime, parseTokenId } from '../arguments.ts';
import { remindOfOperatorToken } from '../connection.ts';
import { WrongUsage } from '../failures.ts';
import { historyTable } from '../show/history.ts';
import { tokenList } from '../show/tokens.ts';
import type { Answer, PageOf } from '../writ-client.ts';
import { TokenCommand } from './token-command.ts';
import type { JsonOption } from './writ-command.ts';

const ITEMS_UNASKED = 50;

interface ListOptions extends JsonOption {
  readonly all?: boolean;
  readonly limit?: number;
}

/** Lists come page by page and are shown so: the longest history needs no more memory than a page. */
abstract class ListCommand extends TokenCommand {
  protected async list<Item>(
    pages: (most: number) => AsyncGenerator<Answer<PageOf<Item>>>,
    { all, limit, json }: ListOptions,
    table: (items: readonly Item[]) => string,
  ): Promise<void> {
    if (all === true && limit !== undefined) throw new WrongUsage('Either --all or --limit, not both.');
    let more = false;
    for await (const { text, body } of pages(all === true ? Infinity : (limit ?? ITEMS_UNASKED))) {
      this.terminal.line(json === true ? text : table(body.items));
      more = body.next !== null;
    }
    if (more && json !== true) this.terminal.warn('There are more: --all shows everything, --limit N the first N.');
    remindOfOperatorToken(this.terminal);
  }

  @Option({ flags: '--all', description: 'everything there is, page by page' })
  parseAll(): boolean {
    return true;
  }

  @Option({ flags: '--limit <n>', description: `the first n (default: ${ITEMS_UNASKED})` })
  parseLimit(text: string): number {
    return parseCount(text, '--limit');
  }
}

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
