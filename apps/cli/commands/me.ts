import { Command } from 'nest-commander';
import type { WorkspaceLimits } from '../../../libs/identity/operations/who-am-i.ts';
import type { TokenRecord } from '../../../libs/tokens/record.ts';
import { members } from '../show/table.ts';
import { tokenRecord } from '../show/tokens.ts';
import { type JsonOption, ServerCommand } from './writ-command.ts';

@Command({ name: 'me', description: 'Show the token you call with, its limits and what is used of them' })
export class MeCommand extends ServerCommand {
  protected readonly examples = ['writ me', 'WRIT_TOKEN=$TOKEN writ me'];

  async run(_params: string[], { json }: JsonOption): Promise<void> {
    const { text, body, revision } = await this.client.get<OwnRecord>('/api/v1/me');
    this.show(json, text, () => tokenRecord(body, revision) + ceilings(body.workspace_limits));
  }
}

interface OwnRecord extends TokenRecord {
  /** There where its workspace has a ceiling. */
  readonly workspace_limits?: WorkspaceLimits;
}

function ceilings(limits: WorkspaceLimits | undefined): string {
  const rows = (['reads', 'writes'] as const).flatMap((budget): (readonly [string, string])[] => {
    const limit = limits?.[budget] ?? null;
    if (limit === null) return [];
    return [[`workspace’s ${budget}`, `${limit.used} used of ${limit.per_minute}, all its tokens together`]];
  });
  return rows.length === 0 ? '' : `\n${members(rows)}`;
}
