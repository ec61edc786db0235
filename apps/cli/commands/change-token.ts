import { Option, SubCommand } from 'nest-commander';
import type { TokenRecord } from '../../../libs/tokens/record.ts';
import { addToList, parseCount, parseRevision, parseTime } from '../arguments.ts';
import { WrongUsage } from '../failures.ts';
import { TokenCommand } from './token-command.ts';
import type { JsonOption } from './writ-command.ts';

const ID = { id: 'the token’s id' };

const NEVER = 'never';

interface ChangeOptions extends JsonOption {
  readonly name?: string;
  readonly scope?: readonly string[];
  readonly reads?: number | 'default';
  readonly writes?: number | 'default';
  readonly expires?: string;
  readonly ifMatch?: number;
}

@SubCommand({
  name: 'change',
  description: 'Change label, scopes, limits and expiry in one step; in force at once',
  arguments: '<id>',
  argsDescription: ID,
})
export class ChangeTokenCommand extends TokenCommand {
  protected readonly examples = [
    'writ token change 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --reads 30 --expires 30d',
    'writ token change 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --expires never --if-match 3',
  ];

  async run(params: string[], options: ChangeOptions): Promise<void> {
    const path = this.pathOf(params);
    const { name, scope, reads, writes, expires, ifMatch } = options;
    const limits = limitsOf({ reads, writes });
    if (scope?.length === 0) throw new WrongUsage('--scope names no scope.');
    if ([name, scope, expires, limits].every((change) => change === undefined)) {
      throw new WrongUsage('Name what to change: --name, --scope, --reads, --writes or --expires.');
    }
    const changes = { name, scopes: scope, limits, expires_at: expires === NEVER ? null : expires };
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

  @Option({ flags: '--if-match <revision>', description: 'only if it is still at this revision, as `show` told it' })
  parseIfMatch(text: string): number {
    return parseRevision(text);
  }
}

@SubCommand({
  name: 'rename',
  description: 'Give a token another label',
  arguments: '<id> <label>',
  argsDescription: { ...ID, label: 'shown beside what it writes from now on, ≤ 80 characters' },
})
export class RenameCommand extends TokenCommand {
  protected readonly examples = ['writ token rename 01J9ZK3V8Q6T4W2Y0B7D5F1G3H "claude-code on laptop"'];

  async run(params: string[], { json }: JsonOption): Promise<void> {
    this.showToken(json, await this.client.patch<TokenRecord>(this.pathOf(params), { name: params[1] }));
  }
}

interface ScopeOptions extends JsonOption {
  readonly scope?: readonly string[];
  readonly company?: string;
  readonly project?: readonly string[];
}

@SubCommand({
  name: 'scope',
  description: 'Set what a token may do and what it is pinned to; in force at once',
  arguments: '<id>',
  argsDescription: ID,
})
export class ScopeCommand extends TokenCommand {
  protected readonly examples = [
    'writ token scope 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --scope reports:read',
    'writ token scope 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --company acme --project web,app',
  ];

  async run(params: string[], { scope, company, project, json }: ScopeOptions): Promise<void> {
    const path = this.pathOf(params);
    const pins = company !== undefined || project !== undefined;
    if (!pins && (scope === undefined || scope.length === 0)) {
      throw new WrongUsage('Name the scopes with --scope, or the restriction with --company and --project.');
    }
    this.showToken(
      json,
      await this.client.patch<TokenRecord>(path, {
        scopes: scope,
        ...(pins ? { restrict: { companies: company === undefined ? [] : [company], projects: project ?? [] } } : {}),
      }),
    );
  }

  @Option({ flags: '--scope <scopes>', description: 'all it may do from now on; repeat, or part by commas' })
  parseScope(text: string, before?: string[]): string[] {
    return addToList(text, before);
  }

  @Option({ flags: '--company <id>', description: 'the one company it is pinned to from now on' })
  parseCompany(text: string): string {
    return text;
  }

  @Option({
    flags: '--project <ids>',
    description: 'all projects it is pinned to from now on; repeat, or part by commas',
  })
  parseProject(text: string, before?: string[]): string[] {
    return addToList(text, before);
  }
}

interface LimitsOptions extends JsonOption {
  readonly reads?: number | 'default';
  readonly writes?: number | 'default';
}

@SubCommand({
  name: 'limits',
  description: 'Tighten or loosen how much a token may do a minute; in force at once',
  arguments: '<id>',
  argsDescription: ID,
})
export class LimitsCommand extends TokenCommand {
  protected readonly examples = [
    'writ token limits 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --reads 30 --writes 5',
    'writ token limits 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --writes default',
  ];

  async run(params: string[], { reads, writes, json }: LimitsOptions): Promise<void> {
    const path = this.pathOf(params);
    const limits = limitsOf({ reads, writes });
    if (limits === undefined) throw new WrongUsage('Name a limit: --reads N, --writes N, or both.');
    this.showToken(json, await this.client.patch<TokenRecord>(path, { limits }));
  }

  @Option({ flags: '--reads <n>', description: 'reads a minute, or `default` for the catalogue’s' })
  parseReads(text: string): number | 'default' {
    return parseLimit(text, '--reads');
  }

  @Option({ flags: '--writes <n>', description: 'writes a minute, or `default` for the catalogue’s' })
  parseWrites(text: string): number | 'default' {
    return parseLimit(text, '--writes');
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
