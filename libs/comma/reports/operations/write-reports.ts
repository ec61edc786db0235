import { CommandBus } from '@nestjs/cqrs';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../../operation/operation.ts';
import { attribute } from '../../../person/attribution.ts';
import type { ReportView } from '../queries.ts';
import { DecideReport, reportProblem, type ReportOutcome } from '../report-commands.ts';
import { reportSchema } from '../schema.ts';
import { CreateReportInput, UpdateReportInput } from './inputs.ts';

@DeclareOperation({
  name: 'create_report',
  title: 'Create a report',
  summary: 'Creates a report, as a draft or published at once.',
  catalogue: 'comma',
  scope: 'comma/reports:write',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/reports', status: 201 },
  input: CreateReportInput,
  output: reportSchema,
  effect: 'adds',
})
export class CreateReportOperation implements Operation<CreateReportInput> {
  constructor(private readonly commands: CommandBus) {}

  async run({ title, body, status }: CreateReportInput, call: Call): Promise<Result> {
    const id = call.newId();
    const { workspace } = call.token;
    const at = new Date(call.nowMs).toISOString();
    const command = {
      type: 'CreateReport',
      id,
      workspace,
      title,
      body: body ?? '',
      status: status ?? 'draft',
      at,
    } as const;
    return written(await this.commands.execute(new DecideReport(id, command, call.append(`report/${id}`))), call);
  }
}

@DeclareOperation({
  name: 'update_report',
  title: 'Update a report',
  summary: 'Changes title, body or status. With If-Match only if nobody else has changed it meanwhile.',
  catalogue: 'comma',
  scope: 'comma/reports:write',
  cost: WRITE,
  http: { method: 'patch', path: '/api/v1/reports/:id' },
  input: UpdateReportInput,
  output: reportSchema,
  effect: 'changes',
  resource: ({ id }) => `report/${id}`,
})
export class UpdateReportOperation implements Operation<UpdateReportInput> {
  constructor(private readonly commands: CommandBus) {}

  async run({ id, title, body, status }: UpdateReportInput, call: Call): Promise<Result> {
    const command = {
      type: 'UpdateReport',
      workspace: call.token.workspace,
      ...(title !== undefined && { title }),
      ...(body !== undefined && { body }),
      ...(status !== undefined && { status }),
      at: new Date(call.nowMs).toISOString(),
    } as const;
    return written(await this.commands.execute(new DecideReport(id, command, call.append(`report/${id}`))), call);
  }
}

/** A write answers with the body, so that a write-only token sees what it did. */
function written(outcome: ReportOutcome, call: Call): Result {
  if (outcome.kind !== 'done') return reportProblem(outcome);
  const { state: report, revision, position, repeated } = outcome;
  if (report.status === 'none') throw new Error('a written report has no state');
  const view: ReportView = {
    id: report.id,
    title: report.title,
    body: report.body,
    status: report.status,
    version: revision,
    by: attribute(call.actor, report.updatedAt, call.nowMs),
    created_at: report.createdAt,
    updated_at: report.updatedAt,
  };
  // What the key did before was recorded then; this call is a use of its own, for the journal.
  return { body: view, revision, position: repeated ? null : position };
}
