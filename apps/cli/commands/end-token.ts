import { Option, SubCommand } from 'nest-commander';
import type { TokenRecord } from '../../../libs/tokens/record.ts';
import { parseDuration, parseOneOf } from '../arguments.ts';
import { WrongUsage } from '../failures.ts';
import { TokenCommand, type TokenWithSecret } from './token-command.ts';
import type { JsonOption } from './writ-command.ts';

const ID = { id: 'the token’s id' };

interface RotateOptions extends JsonOption {
  readonly overlap?: number;
  readonly now?: boolean;
}

@SubCommand({
  name: 'rotate',
  description: 'Make a successor with the same rights and limits; its secret is shown this once',
  arguments: '<id>',
  argsDescription: ID,
})
export class RotateCommand extends TokenCommand {
  protected readonly examples = [
    'writ token rotate 01J9ZK3V8Q6T4W2Y0B7D5F1G3H                # side by side, until you revoke the old one',
    'writ token rotate 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --overlap 1h   # the old one dies in an hour',
    'writ token rotate 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --now          # the old one is dead at once',
  ];

  async run(params: string[], { overlap, now, json }: RotateOptions): Promise<void> {
    if (overlap !== undefined && now === true) throw new WrongUsage('Either --overlap or --now, not both.');
    const body = now === true ? { overlap_seconds: 0 } : { overlap_seconds: overlap };
    this.showSecret(json, await this.client.post<TokenWithSecret>(`${this.pathOf(params)}/rotate`, body));
  }

  @Option({ flags: '--overlap <duration>', description: 'how long the old one lives on: 90s, 45m, 12h, 7d' })
  parseOverlap(text: string): number {
    return parseDuration(text);
  }

  @Option({ flags: '--now', description: 'cut over: the old one is dead at once' })
  parseNow(): boolean {
    return true;
  }
}

@SubCommand({
  name: 'suspend',
  description: 'Stop a token until it is resumed; in force at once',
  arguments: '<id>',
  argsDescription: ID,
})
export class SuspendCommand extends TokenCommand {
  protected readonly examples = ['writ token suspend 01J9ZK3V8Q6T4W2Y0B7D5F1G3H'];

  async run(params: string[], { json }: JsonOption): Promise<void> {
    this.showToken(json, await this.client.post<TokenRecord>(`${this.pathOf(params)}/suspend`, {}));
  }
}

@SubCommand({
  name: 'resume',
  description: 'Let a suspended token act again',
  arguments: '<id>',
  argsDescription: ID,
})
export class ResumeCommand extends TokenCommand {
  protected readonly examples = ['writ token resume 01J9ZK3V8Q6T4W2Y0B7D5F1G3H'];

  async run(params: string[], { json }: JsonOption): Promise<void> {
    this.showToken(json, await this.client.post<TokenRecord>(`${this.pathOf(params)}/resume`, {}));
  }
}

const REASONS = ['by_hand', 'offboarding', 'leak', 'idle'];

interface RevokeOptions extends JsonOption {
  readonly reason?: string;
  readonly note?: string;
  readonly owner?: string;
}

interface RevokedOfPerson {
  readonly revoked: readonly string[];
}

@SubCommand({
  name: 'revoke',
  description: 'End a token for good, or all of a person; once answered, no call with it succeeds',
  arguments: '[id]',
  argsDescription: ID,
})
export class RevokeCommand extends TokenCommand {
  protected readonly examples = [
    'writ token revoke 01J9ZK3V8Q6T4W2Y0B7D5F1G3H',
    'writ token revoke 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --reason leak --note "pasted into a chat"',
    'writ token revoke --owner 01J9ZK3V8Q6T4W2Y0B7D5F1G3H       # all this person owns, when they leave',
  ];

  async run(params: string[], { reason, note, owner, json }: RevokeOptions): Promise<void> {
    if (owner !== undefined) {
      if (params.length > 0) throw new WrongUsage('Either a token’s id or --owner, not both.');
      const path = `/api/v1/admin/people/${encodeURIComponent(owner)}/revoke-tokens`;
      const { text, body } = await this.client.post<RevokedOfPerson>(path, { reason, note });
      this.show(json, text, () => body.revoked.join('\n') || 'There was none left to end.');
      return;
    }
    this.showToken(json, await this.client.delete<TokenRecord>(this.pathOf(params), { reason, note }));
  }

  @Option({
    flags: '--reason <reason>',
    description: 'why, for the history (default: by_hand)',
    choices: REASONS,
  })
  parseReason(text: string): string {
    return parseOneOf(text, REASONS, '--reason');
  }

  @Option({ flags: '--owner <person>', description: 'every token of this person, instead of one (takes people:write)' })
  parseOwner(text: string): string {
    return text;
  }

  @Option({ flags: '--note <text>', description: 'more on why, for the history, ≤ 500 characters' })
  parseNote(text: string): string {
    return text;
  }
}
