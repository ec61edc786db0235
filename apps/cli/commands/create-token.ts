import { Option, SubCommand } from 'nest-commander';
import { addToList, parseCount, parseOneOf, parseTime } from '../arguments.ts';
import { WrongUsage } from '../failures.ts';
import { TokenCommand, type TokenWithSecret } from './token-command.ts';
import type { JsonOption } from './writ-command.ts';

const KINDS = ['agent', 'person'];

interface CreateOptions extends JsonOption {
  readonly catalogue: string;
  readonly name: string;
  readonly scope: readonly string[];
  readonly reads?: number;
  readonly writes?: number;
  readonly expires?: string;
  readonly company?: string;
  readonly project?: readonly string[];
  readonly kind?: string;
  readonly owner?: string;
}

@SubCommand({ name: 'create', description: 'Create a token; its secret is shown this once' })
export class CreateTokenCommand extends TokenCommand {
  protected readonly examples = [
    'writ token create --catalogue comma --name "claude-code on macbook" --scope reports:read,reports:write',
    'writ token create --catalogue toado --name triage --scope comments --company acme --project web --expires 30d',
    'TOKEN=$(writ token create --catalogue comma --name ci --scope reports:read --reads 30 | tail -n 1)',
  ];

  async run(_params: string[], options: CreateOptions): Promise<void> {
    const { company, project, reads, writes, kind, owner, expires } = options;
    if (options.scope.length === 0) throw new WrongUsage('--scope names no scope.');
    this.showSecret(
      options.json,
      await this.client.post<TokenWithSecret>('/api/v1/tokens', {
        catalogue: options.catalogue,
        name: options.name,
        scopes: options.scope,
        kind,
        owner,
        expires_at: expires,
        ...(company === undefined && project === undefined
          ? {}
          : { restrict: { companies: company === undefined ? [] : [company], projects: project ?? [] } }),
        ...(reads === undefined && writes === undefined
          ? {}
          : {
              limits: {
                ...(reads === undefined ? {} : { reads: { per_minute: reads } }),
                ...(writes === undefined ? {} : { writes: { per_minute: writes } }),
              },
            }),
      }),
    );
  }

  @Option({ flags: '--catalogue <name>', description: 'comma, toado, writ or one of your own', required: true })
  parseCatalogue(text: string): string {
    return text;
  }

  @Option({
    flags: '--name <label>',
    description: 'label shown beside what it writes, ≤ 80 characters',
    required: true,
  })
  parseName(text: string): string {
    return text;
  }

  @Option({ flags: '--scope <scopes>', description: 'what it may do; repeat, or part by commas', required: true })
  parseScope(text: string, before?: string[]): string[] {
    return addToList(text, before);
  }

  @Option({ flags: '--reads <n>', description: 'reads a minute (default: the catalogue’s)' })
  parseReads(text: string): number {
    return parseCount(text, '--reads');
  }

  @Option({ flags: '--writes <n>', description: 'writes a minute (default: the catalogue’s)' })
  parseWrites(text: string): number {
    return parseCount(text, '--writes');
  }

  @Option({ flags: '--expires <when>', description: 'RFC 3339 time, or from now: 12h, 30d (default: never)' })
  parseExpires(text: string): string {
    return parseTime(text, this.terminal.now());
  }

  @Option({ flags: '--company <id>', description: 'the one company it is pinned to (toado)' })
  parseCompany(text: string): string {
    return text;
  }

  @Option({ flags: '--project <ids>', description: 'only these projects of it (toado); repeat, or part by commas' })
  parseProject(text: string, before?: string[]): string[] {
    return addToList(text, before);
  }

  @Option({ flags: '--kind <kind>', description: 'who calls with it (default: agent)', choices: KINDS })
  parseKind(text: string): string {
    return parseOneOf(text, KINDS, '--kind');
  }

  @Option({ flags: '--owner <id>', description: 'person it belongs to (default: your own; others take people:write)' })
  parseOwner(text: string): string {
    return text;
  }
}
