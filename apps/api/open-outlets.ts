import type { Logger } from 'pino';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import type { Settings } from '../../libs/settings/settings.ts';
import type { CheckpointPublisher } from '../../libs/transparency/publisher.ts';
import { ScheduledExportRunner } from '../../libs/transparency/scheduled/scheduled-export-runner.ts';
import type { Tree } from '../../libs/transparency/tree.ts';

/** What carries the history out of the log by itself. */
export interface Outlets {
  /** Null: no folder was named. */
  readonly scheduledExport: ScheduledExportRunner | null;
  stop(): Promise<void>;
}

interface Sources {
  readonly log: EventLog;
  readonly tree: Tree;
  readonly publisher: CheckpointPublisher;
}

/** They begin at once, and wait for nothing. */
export function openOutlets(settings: Settings, sources: Sources, logger: Logger): Outlets {
  const alone = settings.eventStoreUrl === null;
  const { scheduledExport: scheduled } = settings;
  const scheduledExport =
    scheduled === null
      ? null
      : new ScheduledExportRunner({
          ...scheduled,
          ...sources,
          alone,
          clock: Date.now,
          onFault: (error) => logger.error({ err: error, folder: scheduled.folder }, 'the scheduled export failed'),
        }).start();
  return {
    scheduledExport,
    async stop() {
      await scheduledExport?.stop();
    },
  };
}
