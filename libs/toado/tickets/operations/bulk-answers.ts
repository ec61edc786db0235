import { Inject, Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { doneUnderKey } from '../../../event-log/decide-and-append.ts';
import type { EventLog, Position } from '../../../event-log/event-log.ts';
import { EVENT_LOG } from '../../../injection-tokens.ts';
import type { Call, Item, Result } from '../../../operation/operation.ts';
import { whole } from '../../../operation/schema.ts';
import { isProblem, keyReused, type ProblemCode } from '../../../problem/problem.ts';
import type { TicketCommand } from '../commands.ts';
import { ticketDecider } from '../decide.ts';
import { ticketStream } from '../events.ts';
import { DecideTicket, ticketProblem } from '../ticket-commands.ts';
import type { Ticket } from '../ticket.ts';

/** What happened to one ticket: `done` (also where nothing had to change), or the code of its problem. */
interface TicketReport {
  readonly ticket: string;
  readonly outcome: 'done' | ProblemCode;
  readonly detail: string | null;
  readonly version: number | null;
}

const TOO_MANY = 429;

/**
 * Works through tickets one by one, each a use of its own inside the write budget. When that runs out, what was done
 * stays done and the rest is named; a repeat under the same Idempotency-Key goes on there, paying for nothing twice.
 */
@Injectable()
export class BulkAnswers {
  constructor(
    private readonly commands: CommandBus,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  /** @param commandFor given the last ticket that was done, as it was then */
  async each(
    tickets: readonly string[],
    call: Call,
    commandFor: (ticket: string, item: Call, previous: Ticket) => Promise<TicketCommand>,
  ): Promise<Result> {
    const reports: TicketReport[] = [];
    let previous: Ticket = ticketDecider.initialState;
    let position: Position | null = null;
    for (const [index, ticket] of tickets.entries()) {
      const earlier = await doneUnderKey(
        this.log,
        ticketStream(ticket),
        ticketDecider,
        call.append(`ticket/${ticket}`),
      );
      if (earlier?.kind === 'key-reused') return keyReused();
      if (earlier?.kind === 'done') {
        previous = earlier.state;
        reports.push({ ticket, outcome: 'done', detail: null, version: earlier.revision });
        continue;
      }
      const item: Item = await call.item(`ticket/${ticket}`, async (own) => {
        const command = await commandFor(ticket, own, previous);
        const context = own.append(`ticket/${ticket}`);
        const outcome = await this.commands.execute(new DecideTicket(ticket, command, context));
        if (outcome.kind !== 'done') return ticketProblem(outcome);
        previous = outcome.state;
        return { body: null, revision: outcome.revision, position: outcome.repeated ? null : outcome.position };
      });
      if (item.kind === 'stopped') {
        if (item.problem.status !== TOO_MANY) return item.problem;
        return bulkAnswer(reports, tickets.slice(index), item.problem.retry_after ?? null, position);
      }
      reports.push(reportOf(ticket, item.result));
      if (!isProblem(item.result)) position = item.result.position ?? position;
    }
    return bulkAnswer(reports, [], null, position);
  }
}

function reportOf(ticket: string, result: Result): TicketReport {
  if (isProblem(result)) return { ticket, outcome: result.code, detail: result.detail, version: null };
  return { ticket, outcome: 'done', detail: null, version: result.revision ?? null };
}

function bulkAnswer(
  items: readonly TicketReport[],
  remaining: readonly string[],
  retryAfterSeconds: number | null,
  position: Position | null,
): Result {
  const done = items.filter(({ outcome }) => outcome === 'done').length;
  return { body: { items, done, remaining, retry_after: retryAfterSeconds }, position };
}

/** JSON schema of a bulk operation's answer. */
export const bulkSchema = whole({
  items: {
    type: 'array',
    items: whole({
      ticket: { type: 'string' },
      outcome: { enum: ['done', 'forbidden', 'not_found', 'conflict', 'invalid'] },
      detail: { type: ['string', 'null'] },
      version: { type: ['integer', 'null'] },
    }),
  },
  done: { type: 'integer', description: 'How many of them are as asked now' },
  remaining: { type: 'array', items: { type: 'string' }, description: 'Tickets the write budget did not reach' },
  retry_after: { type: ['integer', 'null'], description: 'Seconds until the rest can be tried; null: there is none' },
});
