import { Inject, Injectable } from '@nestjs/common';
import type { EventLog } from '../event-log/event-log.ts';
import type { Freshness } from '../gate/freshness.ts';
import { EVENT_LOG, FRESHNESS } from '../injection-tokens.ts';

const WAIT_MS = 2_000;

/** For what asks a read model before it decides: lets it hear first of all that was written until now. */
@Injectable()
export class AtHead {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(FRESHNESS) private readonly freshness: Freshness,
  ) {}

  /** Waits 2 s at most; what is asked then is as fresh as could be. False: it has not got that far. */
  async of(projection: string): Promise<boolean> {
    const head = await this.log.head();
    return head === null || (await this.freshness.waitFor(projection, head, WAIT_MS)) === 'reached';
  }
}
