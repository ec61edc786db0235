import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option, SubCommand } from 'nest-commander';
import type { ViewStatus } from '../../../libs/projection/maintained-view.ts';
import { WrongUsage } from '../failures.ts';
import { GroupCommand, type JsonOption, ServerCommand } from './writ-command.ts';

const LOOK_MS = 500;

interface EraseOptions extends JsonOption {
  readonly confirm?: string;
  readonly revokeTokens?: boolean;
  readonly detach?: boolean;
}

interface Erased {
  readonly person: string;
  readonly revoked: readonly string[];
  readonly rebuilding: readonly string[];
}

@SubCommand({
  name: 'erase',
  description: 'Destroy the key of a person’s data, for good; what they did stays, and proofs still hold',
  arguments: '<person>',
  argsDescription: { person: 'the person’s id' },
})
export class ErasePersonCommand extends ServerCommand {
  protected readonly examples = [
    'writ people erase 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --confirm 01J9ZK3V8Q6T4W2Y0B7D5F1G3H',
    'writ people erase 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --confirm 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --revoke-tokens',
  ];

  async run([person = '']: string[], { confirm, revokeTokens, detach, json }: EraseOptions): Promise<void> {
    if (confirm !== person)
      throw new WrongUsage('There is no way back: say the person’s id once more, as --confirm <person>.');
    const path = `/api/v1/admin/people/${encodeURIComponent(person)}/erase`;
    const { text, body } = await this.client.post<Erased>(path, { confirm, revoke_tokens: revokeTokens ?? false });
    if (detach !== true) await this.#rebuilt(body.rebuilding);
    this.show(json, text, () => shown(body, detach === true));
  }

  @Option({ flags: '--confirm <person>', description: 'the same id once more' })
  parseConfirm(text: string): string {
    return text;
  }

  @Option({ flags: '--revoke-tokens', description: 'end the tokens they still have; else such a person is not erased' })
  parseRevokeTokens(): boolean {
    return true;
  }

  @Option({
    flags: '--detach',
    description: 'do not wait until every view is built without them (waiting takes operate)',
  })
  parseDetach(): boolean {
    return true;
  }

  /** Until then, the views that serve show what they held. */
  async #rebuilt(names: readonly string[]): Promise<void> {
    for (;;) {
      const { body } = await this.client.get<{ readonly items: readonly ViewStatus[] }>('/api/v1/admin/projections');
      if (body.items.every(({ name, rebuild }) => rebuild === null || !names.includes(name))) return;
      await sleep(LOOK_MS);
    }
  }
}

function shown({ person, revoked, rebuilding }: Erased, detached: boolean): string {
  const lines = [`${person} is erased: name, labels, client names and addresses read [erased] from the log on.`];
  if (revoked.length > 0) lines.push(`Tokens ended with it: ${revoked.join(', ')}`);
  lines.push(
    detached
      ? `Being built anew, and until then showing what they held: ${rebuilding.join(', ')}`
      : `Built anew without them: ${rebuilding.join(', ')}`,
  );
  return lines.join('\n');
}

export const PEOPLE_COMMANDS = [ErasePersonCommand];

@Command({
  name: 'people',
  description: 'Erase the personal data of somebody',
  allowExcessArgs: true,
  subCommands: PEOPLE_COMMANDS,
})
export class PeopleGroupCommand extends GroupCommand {
  protected readonly examples = ['writ people erase 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --confirm 01J9ZK3V8Q6T4W2Y0B7D5F1G3H'];
}
