import { type Decider, type Refused, refuse } from '../../event-log/decide-and-append.ts';
import type { Ticket } from '../tickets/ticket.ts';
import { type Asset, evolve, noAsset } from './asset.ts';
import type { AssetEvent, Shape } from './events.ts';

/** `workspace` is the caller's: what lies in another is not there (P13). `at` is RFC 3339. */
export type AssetCommand = UploadAsset | AnnotateAsset;

interface Asked {
  readonly workspace: string;
  readonly at: string;
}

/** Its bytes lie in the store by now. */
export interface UploadAsset extends Asked {
  readonly type: 'UploadAsset';
  readonly id: string;
  readonly ticket: Ticket;
  readonly name: string;
  readonly mediaType: string;
  readonly sha256: string;
  readonly lengthBytes: number;
}

export interface AnnotateAsset extends Asked {
  readonly type: 'AnnotateAsset';
  readonly annotation: string;
  readonly shape: Shape;
  readonly text: string;
}

export type AssetRefusal =
  | { readonly code: 'exists' }
  | { readonly code: 'ticket_not_found' }
  | { readonly code: 'ticket_archived' }
  | { readonly code: 'not_found' }
  | { readonly code: 'out_of_bounds' }
  | { readonly code: 'too_many_annotations' };

type Decision = readonly AssetEvent[] | Refused<AssetRefusal>;

export const MOST_ANNOTATIONS = 1_000;

export function decide(command: AssetCommand, asset: Asset): Decision {
  switch (command.type) {
    case 'UploadAsset':
      return asset.status === 'none' ? upload(command) : refuse({ code: 'exists' });
    case 'AnnotateAsset':
      return annotate(command, asset);
    default:
      return unknownCommand(command);
  }
}

function upload({ id, workspace, ticket, name, mediaType, sha256, lengthBytes, at }: UploadAsset): Decision {
  const refused = ticketRefusal(ticket, workspace);
  if (refused !== null) return refuse(refused);
  if (ticket.status === 'none') throw new Error('a ticket that was found has a state');
  const facts = { name, media_type: mediaType, sha256, length_bytes: lengthBytes };
  return [{ type: 'AssetUploaded', data: { id, workspace, ticket: ticket.id, ...facts, at } }];
}

/** Why a ticket takes no asset; asked before the bytes are read, and again by the decision. */
export function ticketRefusal(ticket: Ticket, workspace: string): AssetRefusal | null {
  if (ticket.status === 'none' || ticket.workspace !== workspace) return { code: 'ticket_not_found' };
  return ticket.status === 'archived' ? { code: 'ticket_archived' } : null;
}

function annotate({ workspace, annotation, shape, text, at }: AnnotateAsset, asset: Asset): Decision {
  if (asset.status === 'none' || asset.workspace !== workspace) return refuse({ code: 'not_found' });
  if (shape.kind === 'box' && (shape.x + shape.width > 1 || shape.y + shape.height > 1)) {
    return refuse({ code: 'out_of_bounds' });
  }
  if (asset.annotations >= MOST_ANNOTATIONS) return refuse({ code: 'too_many_annotations' });
  return [{ type: 'AssetAnnotated', data: { annotation, shape, text, at } }];
}

function unknownCommand(command: never): never {
  throw new Error(`unknown asset command ${(command as { type: string }).type}`);
}

export const assetDecider: Decider<AssetCommand, Asset, AssetEvent, AssetRefusal> = {
  initialState: noAsset,
  decide,
  evolve,
};
