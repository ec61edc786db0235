import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, unlink, writeFile } from 'node:fs/promises';
import { Option, SubCommand } from 'nest-commander';
import { parseTime, parseTokenId } from '../arguments.ts';
import { remindOfOperatorToken } from '../connection.ts';
import { WrongUsage } from '../failures.ts';
import { type JsonOption, ServerCommand } from './writ-command.ts';

interface ExportOptions extends JsonOption {
  readonly to?: string;
  readonly format?: string;
  readonly token?: string;
  readonly operation?: string;
  readonly type?: string;
  readonly since?: string;
  readonly until?: string;
}

const FORMATS = ['jsonl', 'csv', 'cloudevents'];

@SubCommand({
  name: 'export',
  description: 'Write the history to a file, straight from the log, with what proves it',
})
export class AuditExportCommand extends ServerCommand {
  protected readonly examples = [
    'writ audit export --to history.jsonl',
    'writ audit export --to agent.jsonl --token 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --since 2026-10-01T00:00:00Z',
    'writ audit export --to history.csv --format csv',
  ];

  async run(_params: string[], { to, json, since, until, ...asked }: ExportOptions): Promise<void> {
    if (to === undefined) throw new WrongUsage('Say where to: --to FILE.');
    const query = { ...asked, from: since, to: until };
    const { bytes, sha256 } = await this.#write(to, query);
    const manifest = { file: to, bytes, sha256, query, written_at: new Date(this.terminal.now()).toISOString() };
    await writeFile(`${to}.manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
    this.terminal.line(json === true ? JSON.stringify(manifest) : `${to}  ${bytes} bytes  sha256 ${sha256}`);
    remindOfOperatorToken(this.terminal);
  }

  /** A file of that name is there only when all of it is. */
  async #write(to: string, query: Readonly<Record<string, string | undefined>>) {
    const partial = `${to}.partial`;
    const file = createWriteStream(partial, { flags: 'w', mode: 0o600 });
    const hash = createHash('sha256');
    let bytes = 0;
    try {
      await once(file, 'open');
      for await (const piece of this.client.download('/api/v1/audit/export', query)) {
        hash.update(piece);
        bytes += piece.length;
        if (!file.write(piece)) await once(file, 'drain');
      }
      file.end();
      await once(file, 'close');
      await rename(partial, to);
    } catch (error) {
      file.destroy();
      await unlink(partial).catch(() => undefined);
      throw error;
    }
    return { bytes, sha256: hash.digest('hex') };
  }

  @Option({ flags: '--to <file>', description: 'the file; a manifest is written beside it' })
  parseTo(text: string): string {
    return text;
  }

  @Option({ flags: '--format <format>', description: 'jsonl (can be verified), csv or cloudevents' })
  parseFormat(text: string): string {
    if (!FORMATS.includes(text)) throw new WrongUsage(`--format takes ${FORMATS.join(', ')}.`);
    return text;
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
