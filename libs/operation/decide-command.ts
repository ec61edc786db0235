import { Inject, type Type } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type AppendContext,
  decideAndAppend,
  type Decider,
  type DomainEvent,
  type Outcome,
} from '../event-log/decide-and-append.ts';
import type { EventLog } from '../event-log/event-log.ts';
import { EVENT_LOG } from '../injection-tokens.ts';

/** Any command to one aggregate, by its id. */
export abstract class DecideCommand<Given, State, Event, Refusal> extends Command<Outcome<State, Event, Refusal>> {
  constructor(
    readonly id: string,
    readonly command: Given,
    readonly context: AppendContext,
  ) {
    super();
  }
}

/** The handler of an aggregate's commands: they all read, fold, decide and append. */
export function handlerOf<Given, State, Event extends DomainEvent, Refusal>(
  command: Type<DecideCommand<Given, State, Event, Refusal>>,
  streamOf: (id: string) => string,
  decider: Decider<Given, State, Event, Refusal>,
): Type<ICommandHandler> {
  @CommandHandler(command)
  class Handler implements ICommandHandler<DecideCommand<Given, State, Event, Refusal>> {
    constructor(@Inject(EVENT_LOG) private readonly log: EventLog) {}

    execute({ id, command: given, context }: DecideCommand<Given, State, Event, Refusal>) {
      return decideAndAppend(this.log, streamOf(id), decider, given, context);
    }
  }
  return Handler;
}
