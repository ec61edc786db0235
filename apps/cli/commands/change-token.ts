import { Option, SubCommand } from 'nest-commander';
import type { TokenRecord } from '../../../libs/tokens/record.ts';
import { addToList, parseCount, parseRevision, parseTime } from '../arguments.ts';
import { WrongUsage } from '../failures.ts';
import { TokenCommand } from './token-command.ts';
import type { JsonOption } from './writ-command.ts';

const NEVER = 'never';

interface ChangeOptions extends JsonOption {
  readonly name?: string;
  readonly scope?: readonly string[];
  readonly reads?: number | 'default';
  readonly writes?: number | 'default';
  readonly expires?: string;
  readonly company?: string;
  readonly project?: readonly string[];
  readonly ifMatch?: number;
}

/** Takes the options `create` takes, for all that a token can be given later. */
@SubCommand({
  name: 'change',
  description: 'Change what `create` set: label, scopes, limits, expiry, pins; in one step, in force at once',
  arguments: '<id>',
  argsDescription: { id: 'the token’s id' },
})
export class ChangeTokenCommand extends TokenCommand {
  protected readonly examples = [
    'writ token change 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --reads 30',
    'writ token change 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --name "claude-code on laptop" --scope reports:read',
    'writ token change 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --expires never --if-match 3',
  ];

  async run(params: string[], options: ChangeOptions): Promise<void> {
    const path = this.pathOf(params);
    const { name, scope, reads, writes, expires, company, project, ifMatch } = options;
    if (scope?.length === 0) throw new WrongUsage('--scope names no scope.');
    if (project?.length === 0) throw new WrongUsage('--project names no project.');
    const changes = {
      name,
      scopes: scope,
      limits: limitsOf({ reads, writes }),
      expires_at: expires === NEVER ? null : expires,
      restrict: restrictionOf({ company, project }),
    };
    if (Object.values(changes).every((change) => change === undefined)) {
      throw new WrongUsage(
        'Name what to change: --name, --scope, --reads, --writes, --expires, --company or --project.',
      );
    }
    this.showToken(options.json, await this.client.patch<TokenRecord>(path, changes, ifMatch));
  }

  @Option({ flags: '--name <label>', description: 'label shown beside what it writes from now on, ≤ 80 characters' })
  parseName(text: string): string {
    return text;
  }

  @Option({ flags: '--scope <scopes>', description: 'all it may do from now on; repeat, or part by commas' })
  parseScope(text: string, before?: string[]): string[] {
    return addToList(text, before);
  }

  @Option({ flags: '--reads <n>', description: 'reads a minute, or `default` for the catalogue’s' })
  parseReads(text: string): number | 'default' {
    return parseLimit(text, '--reads');
  }

  @Option({ flags: '--writes <n>', description: 'writes a minute, or `default` for the catalogue’s' })
  parseWrites(text: string): number | 'default' {
    return parseLimit(text, '--writes');
  }

  @Option({ flags: '--expires <when>', description: 'RFC 3339 time, or from now: 12h, 30d; or `never`' })
  parseExpires(text: string): string {
    return text === NEVER ? text : parseTime(text, this.terminal.now());
  }

  @Option({ flags: '--company <id>', description: 'the one company it is pinned to from now on (toado)' })
  parseCompany(text: string): string {
    return text;
  }

  @Option({
    flags: '--project <ids>',
    description: 'only these projects of it from now on (toado); repeat, or part by commas',
  })
  parseProject(text: string, before?: string[]): string[] {
    return addToList(text, before);
  }

  @Option({ flags: '--if-match <revision>', description: 'only if it is still at this revision, as `show` told it' })
  parseIfMatch(text: string): number {
    return parseRevision(text);
  }
}

/** On the wire null is the catalogue's; commander would turn a null of ours into an empty text. */
const numberOrNull = (limit: number | 'default'): number | null => (limit === 'default' ? null : limit);

const parseLimit = (text: string, option: string): number | 'default' =>
  text === 'default' ? text : parseCount(text, option);

/** Only the limits that were named; undefined where none was, so that the server leaves them alone. */
function limitsOf({
  reads,
  writes,
}: {
  readonly reads: number | 'default' | undefined;
  readonly writes: number | 'default' | undefined;
}) {
  if (reads === undefined && writes === undefined) return undefined;
  return {
    ...(reads === undefined ? {} : { reads: { per_minute: numberOrNull(reads) } }),
    ...(writes === undefined ? {} : { writes: { per_minute: numberOrNull(writes) } }),
  };
}

/** A pin is set whole: a company alone means all its projects. */
function restrictionOf({
  company,
  project,
}: {
  readonly company: string | undefined;
  readonly project: readonly string[] | undefined;
}) {
  if (company === undefined && project === undefined) return undefined;
  return { companies: company === undefined ? [] : [company], projects: project ?? [] };
}
