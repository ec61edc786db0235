import { Controller, Get, Inject } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import type { HotView } from '../../libs/hot-view/hot-view.ts';
import { CheckpointPublisher } from '../../libs/transparency/publisher.ts';
import { EVENT_LOG, HOT_VIEW } from '../../libs/injection-tokens.ts';

@ApiExcludeController()
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(HOT_VIEW) private readonly view: HotView,
    private readonly publisher: CheckpointPublisher,
  ) {}

  /** The process runs. */
  @Get('live')
  live(): { readonly status: string } {
    return { status: 'ok' };
  }

  /** Calls would be let in: the log can be read and is what was signed, and the view is certified. Else 503. */
  @Get('ready')
  @HealthCheck()
  ready() {
    return this.health.check([
      async () => {
        const indicator = this.indicators.check('event_log');
        return await this.log.head().then(
          (position) => indicator.up({ position }),
          () => indicator.down(),
        );
      },
      () => {
        const indicator = this.indicators.check('hot_view');
        const { ready, reason } = this.view.health();
        // Ready with a reason: some partitions are not.
        if (ready) return reason === null ? indicator.up() : indicator.up({ reason });
        return indicator.down({ reason });
      },
      () => {
        const indicator = this.indicators.check('proof');
        const { alarm } = this.publisher;
        return alarm === null ? indicator.up() : indicator.down({ reason: alarm });
      },
    ]);
  }
}
