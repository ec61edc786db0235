import { Option, SubCommand } from 'nest-commander';
import { EXPORT_FORMATS, type ExportFormat } from '../../../libs/proof/export-lines.ts';
import { parseTime, parseTokenId } from '../arguments.ts';
import { WrongUsage } from '../failures.ts';
import { writeExport } from '../write-export.ts';
import { type JsonOption, ServerCommand } from './writ-command.ts';

interface ExportOptions extends JsonOption {
  readonly to?: string;
  readonly format?: ExportFormat;
  readonly anew?: boolean;
  readonly open?: boolean;
  readonly token?: string;
  readonly operation?: string;
  readonly type?: string;
  readonly since?: string;
  readonly until?: string;
}

@SubCommand({
  name: 'export',
  description: 'Write the history to a file, straight from the log; run again, it goes on where it broke off',
})
export class AuditExportCommand extends ServerCommand {
  protected readonly examples = [
    'writ audit export --to history.jsonl',
    'writ audit export --to agent.jsonl --token 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --since 2026-10-01T00:00:00Z',
    'writ audit export --to history.jsonl --open',
    'writ audit export --to history.csv --format csv',
  ];

  async run(_params: string[], { to, json, anew, open, since, until, ...asked }: ExportOptions): Promise<void> {
    if (to === undefined) throw new WrongUsage('Say where to: --to FILE.');
    const query = {
      ...asked,
      ...(open === true ? { open: 'true' } : {}),
      ...(since === undefined ? {} : { from: since }),
      ...(until === undefined ? {} : { to: until }),
    };
    await writeExport(this.client, this.terminal, { to, query, anew: anew ?? false, json: json ?? false });
  }

  @Option({ flags: '--to <file>', description: 'the file; a manifest is written beside it' })
  parseTo(text: string): string {
    return text;
  }

  @Option({ flags: '--format <format>', description: 'jsonl (can be verified), csv or cloudevents' })
  parseFormat(text: string): ExportFormat {
    const format = EXPORT_FORMATS.find((known) => known === text);
    if (format === undefined) throw new WrongUsage(`--format takes ${EXPORT_FORMATS.join(', ')}.`);
    return format;
  }

  @Option({ flags: '--anew', description: 'from the beginning, even where an export that broke off could go on' })
  parseAnew(): boolean {
    return true;
  }

  @Option({
    flags: '--open',
    description: 'with names, labels, client names and addresses beside what is sealed (jsonl)',
  })
  parseOpen(): boolean {
    return true;
  }

  @Option({ flags: '--token <id>', description: 'only of this token: its life, its uses, what it wrote' })
  parseToken(text: string): string {
    return parseTokenId(text);
  }

  @Option({ flags: '--operation <name>', description: 'only uses of this operation' })
  parseOperation(text: string): string {
    return text;
  }

  @Option({ flags: '--type <type>', description: 'only events of this type' })
  parseType(text: string): string {
    return text;
  }

  @Option({ flags: '--since <time>', description: 'stored at this time or later (RFC 3339)' })
  parseSince(text: string): string {
    return parseTime(text, this.terminal.now());
  }

  @Option({ flags: '--until <time>', description: 'stored before this time (RFC 3339)' })
  parseUntil(text: string): string {
    return parseTime(text, this.terminal.now());
  }
}
