import { Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { type AssetStore, AssetsUnavailable, isShared } from '../../../assets/asset-store.ts';
import { ASSET_STORE } from '../../../injection-tokens.ts';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../../operation/operation.ts';
import { unavailable } from '../../../problem/problem.ts';
import { assetProblem, DecideAsset } from '../asset-commands.ts';
import { removedAnnotationSchema, removedAssetSchema } from '../schema.ts';
import { AnnotationOfAssetInput, AssetIdInput } from './inputs.ts';

@DeclareOperation({
  name: 'remove_asset',
  title: 'Remove an asset',
  summary: 'Takes a file off its ticket for good, its annotations with it, and deletes its bytes. Twice is once.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'delete', path: '/api/v1/admin/assets/:id' },
  input: AssetIdInput,
  output: removedAssetSchema,
  effect: 'destroys',
  resource: ({ id }) => `asset/${id}`,
})
export class RemoveAssetOperation implements Operation<AssetIdInput> {
  constructor(
    private readonly commands: CommandBus,
    @Inject(ASSET_STORE) private readonly store: AssetStore,
  ) {}

  async run({ id }: AssetIdInput, call: Call): Promise<Result> {
    const command = { type: 'RemoveAsset', ...askedBy(call) } as const;
    const outcome = await this.commands.execute(new DecideAsset(id, command, call.append(`asset/${id}`)));
    if (outcome.kind !== 'done') return assetProblem(outcome);
    const { state: asset, revision, position, repeated } = outcome;
    if (asset.status === 'none') throw new Error('a removed asset has no state');
    const deletes = !isShared(asset.place);
    try {
      // Told before they go, so that nobody is promised what is not there; asked again, it is done again.
      if (deletes) await this.store.remove(asset.workspace, asset.place);
    } catch (error) {
      if (error instanceof AssetsUnavailable) {
        return unavailable('The asset is removed, but its bytes cannot be deleted now. Remove it again.');
      }
      throw error;
    }
    const body = { id, ticket: asset.ticket, removed: true, bytes_deleted: deletes };
    return { body, revision, position: repeated ? null : position };
  }
}

@DeclareOperation({
  name: 'remove_annotation',
  title: 'Remove an annotation',
  summary: 'Takes a mark, and what is said there, off an asset for good. Twice is once.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'delete', path: '/api/v1/admin/assets/:id/annotations/:annotation' },
  input: AnnotationOfAssetInput,
  output: removedAnnotationSchema,
  effect: 'destroys',
  resource: ({ id }) => `asset/${id}`,
})
export class RemoveAnnotationOperation implements Operation<AnnotationOfAssetInput> {
  constructor(private readonly commands: CommandBus) {}

  async run({ id, annotation }: AnnotationOfAssetInput, call: Call): Promise<Result> {
    const command = { type: 'RemoveAnnotation', annotation, ...askedBy(call) } as const;
    const outcome = await this.commands.execute(new DecideAsset(id, command, call.append(`asset/${id}`)));
    if (outcome.kind !== 'done') return assetProblem(outcome);
    const { revision, position, repeated } = outcome;
    return { body: { id: annotation, asset: id, removed: true }, revision, position: repeated ? null : position };
  }
}

const askedBy = ({ token, nowMs }: Call) => ({ workspace: token.workspace, at: new Date(nowMs).toISOString() });
