import { QueryBus } from '@nestjs/cqrs';
import { type Call, DeclareOperation, type Operation, READ, type Result } from '../../../operation/operation.ts';
import { pageOfInput } from '../../../operation/page-input.ts';
import { pageSchema } from '../../../operation/schema.ts';
import { notFound } from '../../../problem/problem.ts';
import { REPORT_PREFIX } from '../events.ts';
import { GetReport, ListActivity, ListComments, ListReports } from '../queries.ts';
import { activitySchema, commentSchema, reportSchema } from '../schema.ts';
import { ListOfReportInput, ListReportsInput, ReportIdInput } from './inputs.ts';

const NO_REPORT = 'There is no such report here.';

@DeclareOperation({
  name: 'list_reports',
  title: 'List reports',
  summary: 'The reports of the workspace, newest first.',
  catalogue: 'comma',
  scope: 'comma/reports:read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/reports' },
  input: ListReportsInput,
  output: pageSchema(reportSchema),
  effect: 'reads',
  readsFrom: 'reports',
})
export class ListReportsOperation implements Operation<ListReportsInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: ListReportsInput, { token, nowMs }: Call): Promise<Result> {
    const request = { workspace: token.workspace, status: input.status, nowMs, ...pageOfInput(input) };
    return { body: await this.queries.execute(new ListReports(request)) };
  }
}

@DeclareOperation({
  name: 'get_report',
  title: 'Read a report',
  summary: 'One report, with who wrote it last.',
  catalogue: 'comma',
  scope: 'comma/reports:read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/reports/:id' },
  input: ReportIdInput,
  output: reportSchema,
  effect: 'reads',
  readsFrom: 'reports',
  resource: ({ id }) => `report/${id}`,
  mcpResource: { uriTemplate: 'comma://report/{id}', listedBy: 'list_reports', streamPrefix: REPORT_PREFIX },
})
export class GetReportOperation implements Operation<ReportIdInput> {
  constructor(private readonly queries: QueryBus) {}

  async run({ id }: ReportIdInput, { token, nowMs }: Call): Promise<Result> {
    const report = await this.queries.execute(new GetReport({ workspace: token.workspace, id, nowMs }));
    return report === null ? notFound(NO_REPORT) : { body: report, revision: report.version };
  }
}

@DeclareOperation({
  name: 'list_report_activity',
  title: 'List a report’s activity',
  summary: 'Every edit and comment of a report, each with who made it, newest first.',
  catalogue: 'comma',
  scope: 'comma/reports:read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/reports/:id/activity' },
  input: ListOfReportInput,
  output: pageSchema(activitySchema),
  effect: 'reads',
  readsFrom: 'reports',
  resource: ({ id }) => `report/${id}`,
})
export class ListReportActivityOperation implements Operation<ListOfReportInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: ListOfReportInput, { token, nowMs }: Call): Promise<Result> {
    const request = { workspace: token.workspace, report: input.id, nowMs, ...pageOfInput(input) };
    const page = await this.queries.execute(new ListActivity(request));
    return page === null ? notFound(NO_REPORT) : { body: page };
  }
}

@DeclareOperation({
  name: 'list_comments',
  title: 'List comments',
  summary: 'The comments and replies of a report, newest first.',
  catalogue: 'comma',
  scope: 'comma/comments:read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/reports/:id/comments' },
  input: ListOfReportInput,
  output: pageSchema(commentSchema),
  effect: 'reads',
  readsFrom: 'reports',
  resource: ({ id }) => `report/${id}`,
})
export class ListCommentsOperation implements Operation<ListOfReportInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: ListOfReportInput, { token, nowMs }: Call): Promise<Result> {
    const request = { workspace: token.workspace, report: input.id, nowMs, ...pageOfInput(input) };
    const page = await this.queries.execute(new ListComments(request));
    return page === null ? notFound(NO_REPORT) : { body: page };
  }
}
