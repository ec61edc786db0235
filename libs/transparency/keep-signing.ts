import { isProblem } from '../problem/problem.ts';
import type { CheckpointPublisher } from './publisher.ts';

const SIGN_EVERY_MS = 60_000;

/** Signs every minute what came since, and so holds the log against what was signed before. */
export function keepSigning(publisher: CheckpointPublisher, onFault: (error: Error) => void) {
  let signing: Promise<void> = Promise.resolve();
  const sign = async (): Promise<void> => {
    try {
      const signed = await publisher.publish();
      if (isProblem(signed) && publisher.alarm !== null) onFault(new Error(publisher.alarm));
    } catch (error) {
      onFault(error as Error);
    }
  };
  const timer = setInterval(() => (signing = sign()), SIGN_EVERY_MS).unref();
  return {
    async stop(): Promise<void> {
      clearInterval(timer);
      await signing;
    },
  };
}
