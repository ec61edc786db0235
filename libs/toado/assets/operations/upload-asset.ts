import { Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { type AssetStore, AssetsUnavailable } from '../../../assets/asset-store.ts';
import { MEDIA_TYPES, mediaTypeOf, peek } from '../../../assets/media-type.ts';
import { load } from '../../../event-log/decide-and-append.ts';
import type { EventLog } from '../../../event-log/event-log.ts';
import { ASSET_STORE, EVENT_LOG } from '../../../injection-tokens.ts';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../../operation/operation.ts';
import { attribute } from '../../../person/attribution.ts';
import { fileTypeUnknown, keyReused, takesBytes, unavailable } from '../../../problem/problem.ts';
import { ticketDecider } from '../../tickets/decide.ts';
import { ticketStream } from '../../tickets/events.ts';
import { type AssetOutcome, assetProblem, assetRefusalProblem, DecideAsset } from '../asset-commands.ts';
import { ticketRefusal } from '../decide.ts';
import type { AssetView } from '../queries.ts';
import { refuseSecrets } from '../refuse-secrets.ts';
import { assetSchema } from '../schema.ts';
import { UploadAssetInput } from './inputs.ts';

const MOST_BYTES = 64 * 1024 * 1024;

@DeclareOperation({
  name: 'upload_asset',
  title: 'Upload an asset',
  summary:
    'Attaches a file to a ticket: a picture, a video, a PDF or a text. What it is, its bytes say; a token must not be in it.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/admin/tickets/:id/assets', status: 201, upload: { mostBytes: MOST_BYTES } },
  input: UploadAssetInput,
  output: assetSchema,
  effect: 'adds',
  resource: ({ id }) => `ticket/${id}`,
})
export class UploadAssetOperation implements Operation<UploadAssetInput> {
  constructor(
    private readonly commands: CommandBus,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(ASSET_STORE) private readonly store: AssetStore,
  ) {}

  async run({ id: ticketId, name }: UploadAssetInput, call: Call): Promise<Result> {
    if (call.upload === undefined) return takesBytes();
    const { workspace } = call.token;
    const { state: ticket } = await load(this.log, ticketStream(ticketId), ticketDecider);
    const refused = ticketRefusal(ticket, workspace);
    if (refused !== null) return assetRefusalProblem(refused);

    const { head, all } = await peek(call.upload.stream);
    const mediaType = mediaTypeOf(head);
    if (mediaType === null) return fileTypeUnknown(MEDIA_TYPES);
    const bytes = mediaType.startsWith('text/') ? refuseSecrets(all) : all;
    try {
      // Kept before it is told: an event never names bytes that are not there. Untold ones harm nobody.
      const { place, sha256, lengthBytes } = await this.store.put(workspace, bytes);
      const id = call.newId();
      const at = new Date(call.nowMs).toISOString();
      const file = { name, mediaType, sha256, place, lengthBytes };
      const command = { type: 'UploadAsset', id, workspace, ticket, ...file, at } as const;
      const outcome = await this.commands.execute(new DecideAsset(id, command, call.append(`asset/${id}`)));
      if (!names(outcome, place)) await this.store.remove(workspace, place);
      return uploaded(outcome, sha256, call);
    } catch (error) {
      if (error instanceof AssetsUnavailable) return unavailable('The store of assets cannot be used for now.');
      throw error;
    }
  }
}

/** Whether an event names the bytes: not when it was refused, nor under a key that had named others already. */
const names = (outcome: AssetOutcome, place: string): boolean =>
  outcome.kind === 'done' && outcome.state.status !== 'none' && outcome.state.place === place;

function uploaded(outcome: AssetOutcome, sha256: string, call: Call): Result {
  if (outcome.kind !== 'done') return assetProblem(outcome);
  const { state: asset, revision, position, repeated } = outcome;
  if (asset.status === 'none') throw new Error('an uploaded asset has no state');
  // The key is of an input; the bytes are no part of that, so they are compared here.
  if (asset.sha256 !== sha256) return keyReused();
  const view: AssetView = {
    id: asset.id,
    ticket: asset.ticket,
    name: asset.name,
    media_type: asset.media_type,
    length_bytes: asset.length_bytes,
    sha256,
    version: revision,
    by: attribute(call.actor, asset.at, call.nowMs),
    created_at: asset.at,
  };
  return { body: view, revision, position: repeated ? null : position };
}
