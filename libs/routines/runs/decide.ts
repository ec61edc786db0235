import { type Decider, type Refused, refuse } from '../../event-log/decide-and-append.ts';
import type { DeferralReason, RunEnded, RunEvent, RunOpened, StepResult } from './events.ts';
import { evolve, noRun, type OpenRun, type Run } from './run.ts';

/** Commands to one run, in time Unix ms. Whoever acts on it must be the one who has it. */
export type RunCommand = OpenByHand | ClaimSlot | ClaimRun | RecordStep | DeferStep | EndRun;

/** Somebody asks for it; a runner takes it then. */
export interface OpenByHand {
  readonly type: 'OpenByHand';
  readonly opened: RunOpened['data'];
}

/** A runner takes a slot: the first one has it. */
export interface ClaimSlot {
  readonly type: 'ClaimSlot';
  readonly opened: RunOpened['data'];
  readonly runner: string;
  readonly leaseUntilMs: number;
}

/** A runner takes a run that waits, or whose lease has ended. */
export interface ClaimRun {
  readonly type: 'ClaimRun';
  readonly runner: string;
  readonly leaseUntilMs: number;
  readonly nowMs: number;
}

export interface RecordStep {
  readonly type: 'RecordStep';
  readonly runner: string;
  readonly result: StepResult;
  readonly kept: Readonly<Record<string, unknown>>;
  readonly leaseUntilMs: number;
  readonly nowMs: number;
}

export interface DeferStep {
  readonly type: 'DeferStep';
  readonly runner: string;
  readonly step: number;
  readonly reason: DeferralReason;
  readonly retryAfterSeconds: number | null;
  readonly requestId: string | null;
  readonly untilMs: number;
  readonly nowMs: number;
}

export interface EndRun {
  readonly type: 'EndRun';
  readonly runner: string;
  readonly outcome: RunEnded['data']['outcome'];
  readonly reason: string | null;
  readonly nowMs: number;
}

/** `taken`: another has it, or had it. */
export type RunRefusal = { readonly code: 'taken' } | { readonly code: 'ended' } | { readonly code: 'not_found' };

type Decision = readonly RunEvent[] | Refused<RunRefusal>;

export function decide(command: RunCommand, run: Run): Decision {
  switch (command.type) {
    case 'OpenByHand':
      return run.status === 'none' ? [{ type: 'RunOpened', data: command.opened }] : refuse({ code: 'taken' });
    case 'ClaimSlot': {
      if (run.status !== 'none') return refuse({ code: 'taken' });
      const { opened, runner, leaseUntilMs } = command;
      return [
        { type: 'RunOpened', data: opened },
        { type: 'RunClaimed', data: { runner, lease_until: iso(leaseUntilMs), at: opened.at } },
      ];
    }
    case 'ClaimRun':
    case 'RecordStep':
    case 'DeferStep':
    case 'EndRun':
      if (run.status === 'none') return refuse({ code: 'not_found' });
      if (run.status === 'ended') return refuse({ code: 'ended' });
      return decideOpen(command, run);
    default:
      return unknownCommand(command);
  }
}

function decideOpen(command: ClaimRun | RecordStep | DeferStep | EndRun, run: OpenRun): Decision {
  const at = iso(command.nowMs);
  if (command.type === 'ClaimRun') {
    if (run.freeAtMs > command.nowMs) return refuse({ code: 'taken' });
    const { runner, leaseUntilMs } = command;
    return [{ type: 'RunClaimed', data: { runner, lease_until: iso(leaseUntilMs), at } }];
  }
  // A lease that has ended while nobody else took it is still its owner's.
  if (run.runner !== command.runner) return refuse({ code: 'taken' });
  switch (command.type) {
    case 'RecordStep': {
      const { result, kept, leaseUntilMs } = command;
      if (result.step !== run.steps.length) throw new Error(`step ${result.step} is not the next one`);
      return [{ type: 'StepRecorded', data: { ...result, kept, lease_until: iso(leaseUntilMs), at } }];
    }
    case 'DeferStep': {
      const { step, reason, retryAfterSeconds, requestId, untilMs } = command;
      const until = iso(untilMs);
      const data = { step, reason, retry_after_seconds: retryAfterSeconds, request_id: requestId, until, at };
      return [{ type: 'StepDeferred', data }];
    }
    case 'EndRun':
      return [{ type: 'RunEnded', data: { outcome: command.outcome, reason: command.reason, at } }];
    default:
      return unknownCommand(command);
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();

function unknownCommand(command: never): never {
  throw new Error(`unknown run command ${(command as { type: string }).type}`);
}

export const runDecider: Decider<RunCommand, Run, RunEvent, RunRefusal> = { initialState: noRun, decide, evolve };
