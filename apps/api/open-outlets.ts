import type { Logger } from 'pino';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import type { SiemTarget } from '../../libs/settings/export-settings.ts';
import type { Settings } from '../../libs/settings/settings.ts';
import { OtlpReceiver } from '../../libs/siem/otlp-receiver.ts';
import { Push } from '../../libs/siem/push.ts';
import type { Receiver } from '../../libs/siem/receiver.ts';
import { SyslogReceiver } from '../../libs/siem/syslog-receiver.ts';
import type { Outlets } from '../../libs/transparency/outlets.ts';
import type { CheckpointPublisher } from '../../libs/transparency/publisher.ts';
import { ScheduledExportRunner } from '../../libs/transparency/scheduled/scheduled-export-runner.ts';
import type { Tree } from '../../libs/transparency/tree.ts';

interface Sources {
  readonly log: EventLog;
  readonly tree: Tree;
  readonly publisher: CheckpointPublisher;
}

export interface OpenOutlets extends Outlets {
  stop(): Promise<void>;
}

/** What carries the history out of the log by itself; begins at once, and nothing waits for it. */
export async function openOutlets(settings: Settings, sources: Sources, logger: Logger): Promise<OpenOutlets> {
  const alone = settings.eventStoreUrl === null;
  const { log } = sources;
  const logId = await log.id();
  const scheduledExport = openScheduledExport(settings, sources, alone, logger);
  const pushes = settings.siem.map((target) => {
    const name = nameOf(target);
    const onFault = (error: Error): void => logger.error({ err: error, receiver: name }, 'the history is not pushed');
    return new Push({ name, receiver: receiverOf(target, logId), log, alone, onFault }).start();
  });
  return {
    scheduledExport,
    pushes,
    async stop() {
      await Promise.all([scheduledExport, ...pushes].map((outlet) => outlet?.stop()));
    },
  };
}

function openScheduledExport(
  { scheduledExport: scheduled }: Settings,
  sources: Sources,
  alone: boolean,
  logger: Logger,
): ScheduledExportRunner | null {
  if (scheduled === null) return null;
  const onFault = (error: Error): void =>
    logger.error({ err: error, folder: scheduled.folder }, 'the scheduled export failed');
  return new ScheduledExportRunner({ ...scheduled, ...sources, alone, clock: Date.now, onFault }).start();
}

const receiverOf = (target: SiemTarget, logId: string): Receiver =>
  target.kind === 'otlp'
    ? new OtlpReceiver({ ...target, logId })
    : new SyslogReceiver({ ...target, tls: target.tls ? {} : null });

/** Another receiver gets the history from its beginning. */
function nameOf(target: SiemTarget): string {
  const host = target.kind === 'otlp' ? new URL(target.url).host : `${target.host}:${target.port}`;
  return `${target.kind}-${host}`;
}
