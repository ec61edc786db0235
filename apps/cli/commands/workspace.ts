import { Command, Option, SubCommand } from 'nest-commander';
import type { CeilingRecord, WorkspaceRecord } from '../../../libs/workspace/workspace-record.ts';
import { parseCount, parseRevision } from '../arguments.ts';
import { WrongUsage } from '../failures.ts';
import { members } from '../show/table.ts';
import { GroupCommand, type JsonOption, ServerCommand } from './writ-command.ts';

const PATH = '/api/v1/admin/workspace/limits';
const NONE = 'none';

interface LimitsOptions extends JsonOption {
  readonly reads?: number | typeof NONE;
  readonly writes?: number | typeof NONE;
  readonly ifMatch?: number;
}

@SubCommand({
  name: 'limits',
  description: 'Show the ceiling over the calls of all tokens together, or set it',
})
export class WorkspaceLimitsCommand extends ServerCommand {
  protected readonly examples = [
    'writ workspace limits',
    'writ workspace limits --reads 5000 --writes 500',
    'writ workspace limits --writes none --if-match 3',
  ];

  async run(_params: string[], { reads, writes, ifMatch, json }: LimitsOptions): Promise<void> {
    const changes = {
      ...(reads === undefined ? {} : { reads: perMinute(reads) }),
      ...(writes === undefined ? {} : { writes: perMinute(writes) }),
    };
    const nothing = Object.keys(changes).length === 0;
    if (nothing && ifMatch !== undefined) throw new WrongUsage('Name what to change: --reads or --writes.');
    const { text, body } = nothing
      ? await this.client.get<WorkspaceRecord>(PATH)
      : await this.client.patch<WorkspaceRecord>(PATH, changes, ifMatch);
    this.show(json, text, () => shown(body));
  }

  @Option({ flags: '--reads <n>', description: 'reads a minute of all tokens together, or `none` to lift the ceiling' })
  parseReads(text: string): number | typeof NONE {
    return parseCeiling(text, '--reads');
  }

  @Option({
    flags: '--writes <n>',
    description: 'writes a minute of all tokens together, or `none` to lift the ceiling',
  })
  parseWrites(text: string): number | typeof NONE {
    return parseCeiling(text, '--writes');
  }

  @Option({ flags: '--if-match <revision>', description: 'only if it is still at this revision, as it was shown' })
  parseIfMatch(text: string): number {
    return parseRevision(text);
  }
}

const parseCeiling = (text: string, option: string): number | typeof NONE =>
  text === NONE ? NONE : parseCount(text, option);

const perMinute = (limit: number | typeof NONE) => ({ per_minute: limit === NONE ? null : limit });

const ceiling = ({ per_minute: limit, used }: CeilingRecord): string =>
  limit === null ? 'no ceiling' : `${used ?? 0} of ${limit} a minute, all tokens together`;

function shown({ id, limits, version, by }: WorkspaceRecord): string {
  return members([
    ['workspace', id],
    ['reads', ceiling(limits.reads)],
    ['writes', ceiling(limits.writes)],
    ['revision', version === null ? 'none: never changed' : String(version)],
    ['changed', by?.text ?? 'never'],
  ]);
}

export const WORKSPACE_COMMANDS = [WorkspaceLimitsCommand];

@Command({
  name: 'workspace',
  description: 'The limits that all tokens of the workspace share',
  allowExcessArgs: true,
  subCommands: WORKSPACE_COMMANDS,
})
export class WorkspaceGroupCommand extends GroupCommand {
  protected readonly examples = ['writ workspace limits', 'writ workspace limits --reads 5000'];
}
