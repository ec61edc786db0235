import type { RunEnded, RunEvent, RunOpened, StepResult } from './events.ts';

/** A run as its stream tells it. Times are Unix milliseconds. */
export type Run = NoRun | OpenRun | EndedRun;

export interface NoRun {
  readonly status: 'none';
}

interface Facts {
  readonly opened: RunOpened['data'];
  /** Done so far, in order; the one after them is next. */
  readonly steps: readonly StepResult[];
  /** Values kept for later steps, by the reference's text. */
  readonly kept: ReadonlyMap<string, unknown>;
}

export interface OpenRun extends Facts {
  readonly status: 'open';
  /** Who works on it; null: nobody has, yet. */
  readonly runner: string | null;
  /** From here on anyone may take it. */
  readonly freeAtMs: number;
  /** How often the next step has been put off. */
  readonly deferrals: number;
}

export interface EndedRun extends Facts {
  readonly status: 'ended';
  readonly outcome: RunEnded['data']['outcome'];
  readonly reason: string | null;
}

export const noRun: Run = { status: 'none' };

export function evolve(run: Run, event: RunEvent): Run {
  if (event.type === 'RunOpened') {
    const { data } = event;
    const facts = { opened: data, steps: [], kept: new Map() };
    return { status: 'open', ...facts, runner: null, freeAtMs: Date.parse(data.at), deferrals: 0 };
  }
  if (run.status === 'none') throw new Error(`${event.type} before RunOpened`);
  if (run.status === 'ended') return run;
  switch (event.type) {
    case 'RunClaimed':
      return { ...run, runner: event.data.runner, freeAtMs: Date.parse(event.data.lease_until) };
    case 'StepRecorded': {
      const { kept, lease_until, at: _at, ...result } = event.data;
      return {
        ...run,
        steps: [...run.steps, result],
        kept: new Map([...run.kept, ...Object.entries(kept)]),
        freeAtMs: Date.parse(lease_until),
        deferrals: 0,
      };
    }
    case 'StepDeferred':
      return { ...run, runner: null, freeAtMs: Date.parse(event.data.until), deferrals: run.deferrals + 1 };
    case 'RunEnded': {
      const { outcome, reason } = event.data;
      return { status: 'ended', opened: run.opened, steps: run.steps, kept: run.kept, outcome, reason };
    }
    default:
      return unknownEvent(event);
  }
}

function unknownEvent(event: never): never {
  throw new Error(`unknown run event ${(event as { type: string }).type}`);
}
