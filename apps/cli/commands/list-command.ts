import { Option } from 'nest-commander';
import { parseCount } from '../arguments.ts';
import { remindOfOperatorToken } from '../connection.ts';
import { WrongUsage } from '../failures.ts';
import type { Answer, PageOf } from '../writ-client.ts';
import { type JsonOption, ServerCommand } from './writ-command.ts';

const ITEMS_UNASKED = 50;

export interface ListOptions extends JsonOption {
  readonly all?: boolean;
  readonly limit?: number;
}

/** Lists come page by page and are shown so: the longest history needs no more memory than a page. */
export abstract class ListCommand extends ServerCommand {
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
