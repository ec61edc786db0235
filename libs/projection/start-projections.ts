import type { Position } from '../event-log/event-log.ts';
import type { AnyProjection } from './projection.ts';
import { type ProjectionOptions, type RunningProjection, startProjection } from './runner.ts';

export interface ProjectionsOptions extends Omit<ProjectionOptions, 'projection' | 'onFault' | 'onReached'> {
  readonly projections: readonly AnyProjection[];
  /** A fault that will be tried again. */
  readonly onFault: (projection: string, error: Error) => void;
  readonly onReached?: (projection: string, position: Position) => void;
}

export interface RunningProjections {
  /** In the order they were named. */
  readonly running: readonly RunningProjection[];
  /** Ends each after the batches under way. */
  stop(): Promise<void>;
}

/** Starts them one after the other; where one cannot start, none runs. @throws Error when database or log cannot be reached */
export async function startProjections(options: ProjectionsOptions): Promise<RunningProjections> {
  const { projections, onFault, onReached, ...shared } = options;
  const running: RunningProjection[] = [];
  const stop = async (): Promise<void> => {
    for (const projection of running.toReversed()) await projection.stop();
  };
  try {
    for (const projection of projections) {
      const { name } = projection;
      const started = await startProjection({
        ...shared,
        projection,
        onFault: (error) => onFault(name, error),
        onReached: (position) => onReached?.(name, position),
      });
      running.push(started);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { running, stop };
}
