import { Inject } from '@nestjs/common';
import { MAINTAINED_VIEWS } from '../../injection-tokens.ts';
import { DeclareOperation, FREE, type Operation, type OperationSpec, type Result } from '../../operation/operation.ts';
import { conflict, notFound } from '../../problem/problem.ts';
import type { MaintainedView, Obstacle } from '../maintained-view.ts';
import { ProjectionInput, RebuildInput, RetryInput } from './inputs.ts';
import { viewStatusSchema } from './schema.ts';

/** What all of these are: asked here, done by whichever process leads the projection. */
const STEERING = {
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: FREE,
  output: viewStatusSchema,
  effect: 'changes',
} as const satisfies Partial<OperationSpec>;

const route = (verb: string) =>
  ({ method: 'post', path: `/api/v1/admin/projections/:name/${verb}`, status: 202 }) as const;

const resource = ({ name }: ProjectionInput): string => `projection/${name}`;

async function steer(
  views: readonly MaintainedView[],
  name: string,
  ask: (view: MaintainedView) => Promise<Obstacle>,
): Promise<Result> {
  const view = views.find((each) => each.name === name);
  if (view === undefined) return notFound('There is no such projection.');
  const obstacle = await ask(view);
  return obstacle === null ? { body: await view.status() } : conflict(obstacle);
}

@DeclareOperation({
  name: 'rebuild_projection',
  title: 'Rebuild a projection',
  summary:
    'Fills new tables from the log’s beginning beside those that serve, and switches when level; goes on with a stopped rebuild unless `anew`.',
  http: route('rebuild'),
  input: RebuildInput,
  resource,
  ...STEERING,
})
export class RebuildProjectionOperation implements Operation<RebuildInput> {
  constructor(@Inject(MAINTAINED_VIEWS) private readonly views: readonly MaintainedView[]) {}

  run({ name, anew = false }: RebuildInput): Promise<Result> {
    return steer(this.views, name, (view) => view.rebuild(anew));
  }
}

@DeclareOperation({
  name: 'stop_rebuild',
  title: 'Stop a rebuild',
  summary: 'Stops a rebuild where it is. What serves goes on; rebuilding again goes on from there.',
  http: route('stop'),
  input: ProjectionInput,
  resource,
  ...STEERING,
})
export class StopRebuildOperation implements Operation<ProjectionInput> {
  constructor(@Inject(MAINTAINED_VIEWS) private readonly views: readonly MaintainedView[]) {}

  run({ name }: ProjectionInput): Promise<Result> {
    return steer(this.views, name, (view) => view.stopRebuild());
  }
}

@DeclareOperation({
  name: 'verify_projection',
  title: 'Verify a projection',
  summary:
    'Fills a copy from the log and compares it with what serves, table by table; names the first row that differs.',
  http: route('verify'),
  input: ProjectionInput,
  resource,
  ...STEERING,
})
export class VerifyProjectionOperation implements Operation<ProjectionInput> {
  constructor(@Inject(MAINTAINED_VIEWS) private readonly views: readonly MaintainedView[]) {}

  run({ name }: ProjectionInput): Promise<Result> {
    return steer(this.views, name, (view) => view.verify());
  }
}

@DeclareOperation({
  name: 'retry_parked_stream',
  title: 'Retry a parked stream',
  summary: 'Applies a stream that stands still in a projection, from the event on that could not be applied.',
  http: route('retry'),
  input: RetryInput,
  resource,
  ...STEERING,
})
export class RetryParkedStreamOperation implements Operation<RetryInput> {
  constructor(@Inject(MAINTAINED_VIEWS) private readonly views: readonly MaintainedView[]) {}

  run({ name, stream }: RetryInput): Promise<Result> {
    return steer(this.views, name, (view) => view.retry(stream));
  }
}

export const STEER_PROJECTIONS = [
  RebuildProjectionOperation,
  StopRebuildOperation,
  VerifyProjectionOperation,
  RetryParkedStreamOperation,
];
