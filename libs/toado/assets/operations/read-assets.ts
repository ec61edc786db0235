import { Inject } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { type AssetStore, AssetsUnavailable } from '../../../assets/asset-store.ts';
import { MEDIA_TYPES } from '../../../assets/media-type.ts';
import { ASSET_STORE } from '../../../injection-tokens.ts';
import { bytesSchema } from '../../../operation/content.ts';
import { type Call, DeclareOperation, type Operation, READ, type Result } from '../../../operation/operation.ts';
import { pageOfInput } from '../../../operation/page-input.ts';
import { pageSchema } from '../../../operation/schema.ts';
import { notFound, unavailable } from '../../../problem/problem.ts';
import { reachOf } from '../../reach.ts';
import { ListOfTicketInput } from '../../tickets/operations/inputs.ts';
import { GetAsset, ListAnnotations, ListAssets } from '../queries.ts';
import { annotationSchema, assetSchema } from '../schema.ts';
import { AssetIdInput, ListOfAssetInput } from './inputs.ts';

const NO_ASSET = 'There is no such asset here.';

@DeclareOperation({
  name: 'list_assets',
  title: 'List a ticket’s assets',
  summary: 'The files attached to a ticket, newest first.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/tickets/:id/assets' },
  input: ListOfTicketInput,
  output: pageSchema(assetSchema),
  effect: 'reads',
  readsFrom: 'toado',
  resource: ({ id }) => `ticket/${id}`,
})
export class ListAssetsOperation implements Operation<ListOfTicketInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: ListOfTicketInput, { token, nowMs }: Call): Promise<Result> {
    const request = { reach: reachOf(token), ticket: input.id, nowMs, ...pageOfInput(input) };
    const page = await this.queries.execute(new ListAssets(request));
    return page === null ? notFound('There is no such ticket here.') : { body: page };
  }
}

@DeclareOperation({
  name: 'get_asset',
  title: 'Describe an asset',
  summary: 'What a file is: its name, type, length and hash, and who uploaded it.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/assets/:id' },
  input: AssetIdInput,
  output: assetSchema,
  effect: 'reads',
  readsFrom: 'toado',
  resource: ({ id }) => `asset/${id}`,
})
export class GetAssetOperation implements Operation<AssetIdInput> {
  constructor(private readonly queries: QueryBus) {}

  async run({ id }: AssetIdInput, { token, nowMs }: Call): Promise<Result> {
    const found = await this.queries.execute(new GetAsset({ reach: reachOf(token), id, nowMs }));
    return found === null ? notFound(NO_ASSET) : { body: found.asset, revision: found.asset.version };
  }
}

@DeclareOperation({
  name: 'download_asset',
  title: 'Download an asset',
  summary: 'The bytes of a file, or a range of them; never as anything that runs.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/assets/:id/content' },
  input: AssetIdInput,
  output: bytesSchema,
  streams: MEDIA_TYPES,
  effect: 'reads',
  readsFrom: 'toado',
  resource: ({ id }) => `asset/${id}`,
})
export class DownloadAssetOperation implements Operation<AssetIdInput> {
  constructor(
    private readonly queries: QueryBus,
    @Inject(ASSET_STORE) private readonly store: AssetStore,
  ) {}

  async run({ id }: AssetIdInput, { token, nowMs }: Call): Promise<Result> {
    const found = await this.queries.execute(new GetAsset({ reach: reachOf(token), id, nowMs }));
    if (found === null) return notFound(NO_ASSET);
    const { asset, place } = found;
    const { name: filename, media_type: type, length_bytes: lengthBytes, sha256 } = asset;
    if (!(await this.#isKept(token.workspace, place)))
      return unavailable('The bytes of this asset cannot be read now.');
    const open = (range?: { first: number; last: number }) => this.store.read(token.workspace, place, range);
    return { content: { type, filename, lengthBytes, etag: sha256, open } };
  }

  /** Asked first: once the bytes are under way there is no saying that they are not there. */
  async #isKept(workspace: string, place: string): Promise<boolean> {
    try {
      return await this.store.has(workspace, place);
    } catch (error) {
      if (error instanceof AssetsUnavailable) return false;
      throw error;
    }
  }
}

@DeclareOperation({
  name: 'list_annotations',
  title: 'List an asset’s annotations',
  summary: 'The points and boxes marked on a file, with what is said of them, newest first.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/assets/:id/annotations' },
  input: ListOfAssetInput,
  output: pageSchema(annotationSchema),
  effect: 'reads',
  readsFrom: 'toado',
  resource: ({ id }) => `asset/${id}`,
})
export class ListAnnotationsOperation implements Operation<ListOfAssetInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: ListOfAssetInput, { token, nowMs }: Call): Promise<Result> {
    const request = { reach: reachOf(token), asset: input.id, nowMs, ...pageOfInput(input) };
    const page = await this.queries.execute(new ListAnnotations(request));
    return page === null ? notFound(NO_ASSET) : { body: page };
  }
}
