import { CommandBus } from '@nestjs/cqrs';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../../operation/operation.ts';
import { attribute } from '../../../person/attribution.ts';
import { assetProblem, DecideAsset } from '../asset-commands.ts';
import type { Shape } from '../events.ts';
import type { AnnotationView } from '../queries.ts';
import { annotationSchema } from '../schema.ts';
import { AnnotateAssetInput } from './inputs.ts';

@DeclareOperation({
  name: 'annotate_asset',
  title: 'Annotate an asset',
  summary: 'Marks a point of a picture, or with `width` and `height` a box, and says something about it.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/admin/assets/:id/annotations', status: 201 },
  input: AnnotateAssetInput,
  output: annotationSchema,
  effect: 'adds',
  resource: ({ id }) => `asset/${id}`,
})
export class AnnotateAssetOperation implements Operation<AnnotateAssetInput> {
  constructor(private readonly commands: CommandBus) {}

  async run({ id, text, ...place }: AnnotateAssetInput, call: Call): Promise<Result> {
    const annotation = call.newId();
    const shape = shapeOf(place);
    const { workspace } = call.token;
    const command = { type: 'AnnotateAsset', workspace, annotation, shape, text, at: at(call.nowMs) } as const;
    const outcome = await this.commands.execute(new DecideAsset(id, command, call.append(`asset/${id}`)));
    if (outcome.kind !== 'done') return assetProblem(outcome);
    // Under a repeated key the annotation is the one made the first time, with its time.
    const created_at = outcome.events[0]?.data.at ?? command.at;
    const by = attribute(call.actor, created_at, call.nowMs);
    const view: AnnotationView = { id: annotation, asset: id, shape, text, by, created_at };
    return { body: view, revision: outcome.revision, position: outcome.repeated ? null : outcome.position };
  }
}

const at = (nowMs: number): string => new Date(nowMs).toISOString();

const shapeOf = ({ x, y, width, height }: Pick<AnnotateAssetInput, 'x' | 'y' | 'width' | 'height'>): Shape =>
  width === undefined || height === undefined ? { kind: 'point', x, y } : { kind: 'box', x, y, width, height };
