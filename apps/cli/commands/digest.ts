import { rename, writeFile } from 'node:fs/promises';
import { Command, Option, SubCommand } from 'nest-commander';
import type { DigestSummary } from '../../../libs/digests/queries.ts';
import { parseOneOf, parsePeriodId, parseTime } from '../arguments.ts';
import { remindOfOperatorToken } from '../connection.ts';
import { WrongUsage } from '../failures.ts';
import { digestList } from '../show/digests.ts';
import { ListCommand, type ListOptions } from './list-command.ts';
import { GroupCommand, type JsonOption, ServerCommand } from './writ-command.ts';

const PATH = '/api/v1/audit/digests';

interface ListDigestsOptions extends ListOptions {
  readonly period?: string;
  readonly since?: string;
  readonly until?: string;
}

@SubCommand({
  name: 'list',
  description: 'List the digests of days, weeks and months, newest first, with their totals',
})
export class ListDigestsCommand extends ListCommand {
  protected readonly examples = ['writ digest list', 'writ digest list --period monthly --all'];

  async run(_params: string[], options: ListDigestsOptions): Promise<void> {
    const { period, since: from, until: to } = options;
    await this.list<DigestSummary>((most) => this.client.pages(PATH, { period, from, to }, most), options, digestList);
  }

  @Option({ flags: '--period <kind>', description: 'only daily, weekly or monthly ones' })
  parsePeriod(text: string): string {
    return parseOneOf(text, ['daily', 'weekly', 'monthly'], '--period');
  }

  @Option({ flags: '--since <time>', description: 'of periods that begin at this time or later (RFC 3339)' })
  parseSince(text: string): string {
    return parseTime(text, this.terminal.now());
  }

  @Option({ flags: '--until <time>', description: 'of periods that begin before this time (RFC 3339)' })
  parseUntil(text: string): string {
    return parseTime(text, this.terminal.now());
  }
}

interface ShowDigestOptions extends JsonOption {
  readonly format?: string;
  readonly to?: string;
}

@SubCommand({
  name: 'show',
  description: 'Show what happened in a day, ISO week or month; one that is over and was not made is made now',
  arguments: '<period>',
  argsDescription: { period: 'a day (2026-11-24), an ISO week (2026-W48) or a month (2026-11), UTC' },
})
export class ShowDigestCommand extends ServerCommand {
  protected readonly examples = [
    'writ digest show 2026-11-24',
    'writ digest show 2026-W48 --format html --to week-48.html',
    'writ digest show 2026-11 --json | jq .totals',
  ];

  async run(params: string[], { json, format, to }: ShowDigestOptions): Promise<void> {
    const path = `${PATH}/${parsePeriodId(params[0] ?? '')}`;
    if (json === true && format !== undefined && format !== 'json') {
      throw new WrongUsage('Either --json or another --format.');
    }
    const asked = json === true ? 'json' : (format ?? 'markdown');
    const pieces = await Array.fromAsync(this.client.download(path, { format: asked }));
    const page = Buffer.concat(pieces);
    if (to === undefined) {
      this.terminal.line(page.toString('utf8').trimEnd());
    } else {
      // A file of that name is there only when all of it is.
      await writeFile(`${to}.partial`, page, { mode: 0o600 });
      await rename(`${to}.partial`, to);
      this.terminal.line(`${to}  ${page.length} bytes`);
    }
    remindOfOperatorToken(this.terminal);
  }

  @Option({ flags: '--format <format>', description: 'markdown (unless said otherwise), html or json' })
  parseFormat(text: string): string {
    return parseOneOf(text, ['markdown', 'html', 'json'], '--format');
  }

  @Option({ flags: '--to <file>', description: 'into this file' })
  parseTo(text: string): string {
    return text;
  }
}

export const DIGEST_COMMANDS = [ListDigestsCommand, ShowDigestCommand];

@Command({
  name: 'digest',
  description: 'What happened in a day, a week or a month',
  allowExcessArgs: true,
  subCommands: DIGEST_COMMANDS,
})
export class DigestGroupCommand extends GroupCommand {
  protected readonly examples = ['writ digest list', 'writ digest show --help'];
}
