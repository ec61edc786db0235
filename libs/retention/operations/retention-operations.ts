import { Inject } from '@nestjs/common';
import { decideAndAppend } from '../../event-log/decide-and-append.ts';
import type { EventLog } from '../../event-log/event-log.ts';
import { EVENT_LOG, RETENTION } from '../../injection-tokens.ts';
import {
  type Call,
  DeclareOperation,
  FREE,
  type Operation,
  READ,
  type Result,
  WRITE,
} from '../../operation/operation.ts';
import { outcomeProblem } from '../../operation/outcome-problem.ts';
import { whole } from '../../operation/schema.ts';
import { conflict, notFound, type Problem } from '../../problem/problem.ts';
import { type RetentionCommand, retentionDecider, type RetentionRefusal } from '../decide.ts';
import { RETENTION_STREAM } from '../events.ts';
import type { RetentionRunner } from '../retention-runner.ts';
import { LiftHoldInput, PlaceHoldInput } from './inputs.ts';

class NoInput {}

const text = { type: 'string' };
const time = { type: 'string', format: 'date-time' };
const count = { type: 'integer' };
const hold = whole({ hold: text, reason: text, at: time });

const retentionSchema = whole({
  max_age_days: { type: ['integer', 'null'], description: 'Null: usage stays in the log for ever' },
  folder: text,
  running: { type: 'boolean', description: 'Whether the process that answers is archiving' },
  due_before: { type: ['string', 'null'], description: 'Usage of the days (UTC) before this one is archived' },
  holds: { type: 'array', items: hold },
  archives: {
    type: 'array',
    items: whole({
      file: text,
      streams: count,
      events: count,
      first: { type: 'integer', description: 'Position of its first event' },
      last: count,
      bytes: count,
      sha256: text,
      checkpoint: { type: 'integer', description: 'Leaves of the signed checkpoint in its manifest' },
      at: time,
      scavenged: { type: 'boolean', description: 'Whether the log has let go of it' },
    }),
  },
  fault: { type: ['object', 'null'], properties: { at: time, reason: text } },
});

@DeclareOperation({
  name: 'get_retention',
  title: 'Show retention',
  summary: 'How long usage stays in the log, what went into which archive, and which legal holds are in force.',
  catalogue: 'writ',
  scope: 'writ/audit:read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/admin/retention' },
  input: NoInput,
  output: retentionSchema,
  effect: 'reads',
})
export class GetRetentionOperation implements Operation<NoInput> {
  constructor(@Inject(RETENTION) private readonly retention: RetentionRunner) {}

  async run(): Promise<Result> {
    return { body: await this.retention.status() };
  }
}

@DeclareOperation({
  name: 'archive_usage',
  title: 'Archive old usage now',
  summary: 'Begins what is done every hour anyway: usage older than the maximum age goes from the log into an archive.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: FREE,
  http: { method: 'post', path: '/api/v1/admin/retention/run', status: 202 },
  input: NoInput,
  output: retentionSchema,
  effect: 'changes',
})
export class ArchiveUsageOperation implements Operation<NoInput> {
  constructor(@Inject(RETENTION) private readonly retention: RetentionRunner) {}

  async run(): Promise<Result> {
    const { max_age_days: maxAgeDays, holds } = await this.retention.status();
    if (maxAgeDays === null) return conflict('Usage is kept for ever here: USAGE_MAX_AGE_DAYS is not set.');
    if (holds.length > 0) return conflict(`A legal hold is in force: ${holds[0]!.reason}`);
    void this.retention.run();
    return { body: await this.retention.status() };
  }
}

@DeclareOperation({
  name: 'place_legal_hold',
  title: 'Place a legal hold',
  summary: 'From now on the log lets go of nothing, however old, until the hold is lifted. Holds add up.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/admin/legal-holds', status: 201 },
  input: PlaceHoldInput,
  output: hold,
  effect: 'adds',
})
export class PlaceLegalHoldOperation implements Operation<PlaceHoldInput> {
  constructor(@Inject(EVENT_LOG) private readonly log: EventLog) {}

  run({ reason }: PlaceHoldInput, call: Call): Promise<Result> {
    return decided(this.log, { kind: 'place-hold', hold: call.newId(), reason, at: timeOf(call) }, call);
  }
}

@DeclareOperation({
  name: 'lift_legal_hold',
  title: 'Lift a legal hold',
  summary: 'Ends a legal hold. Where it was the last, what is older than the maximum age is archived again.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/admin/legal-holds/:hold/lift' },
  input: LiftHoldInput,
  output: hold,
  effect: 'changes',
  resource: ({ hold: id }) => `legal-hold/${id}`,
})
export class LiftLegalHoldOperation implements Operation<LiftHoldInput> {
  constructor(@Inject(EVENT_LOG) private readonly log: EventLog) {}

  run({ hold: id, reason }: LiftHoldInput, call: Call): Promise<Result> {
    return decided(this.log, { kind: 'lift-hold', hold: id, reason, at: timeOf(call) }, call);
  }
}

const timeOf = ({ nowMs }: Call): string => new Date(nowMs).toISOString();

async function decided(
  log: EventLog,
  command: Extract<RetentionCommand, { kind: 'place-hold' | 'lift-hold' }>,
  call: Call,
): Promise<Result> {
  const context = call.append(`legal-hold/${command.hold}`);
  const outcome = await decideAndAppend(log, RETENTION_STREAM, retentionDecider, command, context);
  if (outcome.kind !== 'done') return outcomeProblem(outcome, refusalProblem);
  const [event] = outcome.events;
  if (event?.type !== 'LegalHoldPlaced' && event?.type !== 'LegalHoldLifted') throw new Error('no hold was decided');
  const { revision, position, repeated } = outcome;
  return { body: event.data, revision, position: repeated ? null : position };
}

function refusalProblem(refusal: RetentionRefusal): Problem {
  switch (refusal) {
    case 'unknown-hold':
      return notFound('There is no such legal hold in force.');
    case 'on-hold':
      return conflict('A legal hold is in force.');
    default:
      return unknownRefusal(refusal);
  }
}

function unknownRefusal(refusal: never): never {
  throw new Error(`unknown refusal ${JSON.stringify(refusal)}`);
}

export const RETENTION_OPERATIONS = [
  GetRetentionOperation,
  ArchiveUsageOperation,
  PlaceLegalHoldOperation,
  LiftLegalHoldOperation,
];
