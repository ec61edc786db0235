import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'nest-commander';
import type { Person } from '../../../libs/person/person.ts';
import type { TokenUse } from '../../../libs/usage/use.ts';
import { parseRequestId } from '../arguments.ts';
import { Refused } from '../failures.ts';
import { members } from '../show/table.ts';
import type { Answer } from '../writ-client.ts';
import { type JsonOption, ServerCommand } from './writ-command.ts';

/** What `GET /api/v1/requests/:request_id` answers. */
interface ExplainedRequest extends Pick<
  TokenUse,
  'request_id' | 'token' | 'operation' | 'face' | 'decision' | 'reason' | 'status' | 'time'
> {
  readonly label: string | null;
  readonly owner: Person | null;
  readonly scope_needed: string | null;
  readonly position: number;
}

/** Each try is a read of the caller's limit, so they are few. */
const WAITS_MS = [100, 200, 400, 800];

@Command({
  name: 'why',
  description: 'Explain an answer: which token, which decision, which rule',
  arguments: '<request-id>',
  argsDescription: { 'request-id': 'an answer’s X-Request-Id' },
})
export class WhyCommand extends ServerCommand {
  protected readonly examples = ['writ why 01J9ZK3V8Q6T4W2Y0B7D5F1G3H'];

  async run(params: string[], { json }: JsonOption): Promise<void> {
    const id = parseRequestId(params[0] ?? '');
    const { text, body } = await this.#find(id);
    this.show(json, text, () => explain(body));
  }

  /** The index of uses follows the log, a moment behind: an id from an answer just seen may not be in it yet. */
  async #find(id: string): Promise<Answer<ExplainedRequest>> {
    for (const waitMs of WAITS_MS) {
      try {
        return await this.client.get<ExplainedRequest>(`/api/v1/requests/${id}`);
      } catch (error) {
        if (!(error instanceof Refused) || error.problem.status !== 404) throw error;
        await sleep(waitMs);
      }
    }
    return this.client.get<ExplainedRequest>(`/api/v1/requests/${id}`);
  }
}

function explain(request: ExplainedRequest): string {
  return members([
    ['request', request.request_id],
    ['time', request.time],
    ['token', request.label === null ? request.token : `${request.token} (${request.label})`],
    ['owner', request.owner?.name ?? 'unknown'],
    ['operation', `${request.operation} via ${request.face}`],
    ['decision', `${request.decision} (${request.status})`],
    ['rule', ruleOf(request)],
    ['log position', String(request.position)],
  ]);
}

/** Which of the gate's rules spoke, in words; a reason this command does not know is shown as it is. */
function ruleOf({ decision, reason, scope_needed: scope }: ExplainedRequest): string {
  if (decision === 'allowed') return scope === null ? 'any live token may' : `the token holds ${scope}`;
  switch (reason) {
    case 'missing_scope':
      return `missing_scope: the token lacks ${scope ?? 'the scope'}`;
    case 'throttled':
      return 'throttled: the limit of the minute was used up';
    case 'ceiling':
      return 'ceiling: what all tokens of the workspace may call in a minute was used up';
    case 'revoked':
    case 'expired':
    case 'rotated':
    case 'suspended':
    case 'inert':
      return `${reason}: the token was not live`;
    case null:
      return 'no reason recorded';
    default:
      return reason;
  }
}
