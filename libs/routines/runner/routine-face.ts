import { Injectable } from '@nestjs/common';
import { Gate, type Reply } from '../../gate/gate.ts';
import type { ViewToken } from '../../hot-view/hot-view.ts';
import { newId } from '../../ids/new-id.ts';
import type { DeclaredOperation } from '../../operation/operation.ts';

export interface StepCall {
  readonly declared: DeclaredOperation;
  readonly under: Pick<ViewToken, 'id' | 'digest'>;
  readonly input: Readonly<Record<string, unknown>>;
  readonly routine: string;
  readonly run: string;
  readonly step: number;
  /** Of the last thing the run wrote: what it reads afterwards has got there. */
  readonly logPosition: number | null;
}

/**
 * The third face: a routine's step as a call at the gate. The caller is known by the routine's own record, so its
 * credential is what the view holds of that token; everything else the gate finds out as for any other call.
 */
@Injectable()
export class RoutineFace {
  constructor(private readonly gate: Gate) {}

  call({ declared, under, input, routine, run, step, logPosition }: StepCall): Promise<Reply> {
    return this.gate.handle(declared, {
      face: 'routine',
      requestId: newId(),
      clientAddress: 'routine',
      clientName: `routine ${routine}`,
      // A run is its routine's slot: done once before a crash is done once.
      idempotencyKey: `routine-run/${run}/${step}`,
      ifMatch: undefined,
      logPosition: logPosition === null ? undefined : String(logPosition),
      authenticate: () => ({ id: under.id, digest: under.digest }),
      input: () => ({ ok: true, value: input }),
    });
  }
}
