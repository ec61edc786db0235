/** How long what surely did not happen is tried again: enough for a reconnect or a planned change of leader. */
export const SETTLING_MS = 2_000;

/** Doubles from 25 ms to 800 ms, jittered so that many callers do not come back together. */
export function backOffMs(tries: number): number {
  return 25 * 2 ** Math.min(tries, 5) * (0.5 + Math.random());
}
