import { type Decider, type Refused, refuse } from '../../event-log/decide-and-append.ts';
import type { Ticket } from '../tickets/ticket.ts';
import { type Asset, evolve, type KnownAsset, noAsset, standing } from './asset.ts';
import type { AssetEvent, Shape } from './events.ts';

/** `workspace` is the caller's: what lies in another is not there (P13). `at` is RFC 3339. */
export type AssetCommand = UploadAsset | AnnotateAsset | RemoveAnnotation | RemoveAsset;

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
  readonly place: string;
  readonly lengthBytes: number;
}

export interface AnnotateAsset extends Asked {
  readonly type: 'AnnotateAsset';
  readonly annotation: string;
  readonly shape: Shape;
  readonly text: string;
}

export interface RemoveAnnotation extends Asked {
  readonly type: 'RemoveAnnotation';
  readonly annotation: string;
}

/** Its annotations go with it. */
export interface RemoveAsset extends Asked {
  readonly type: 'RemoveAsset';
}

export type AssetRefusal =
  | { readonly code: 'exists' }
  | { readonly code: 'ticket_not_found' }
  | { readonly code: 'ticket_archived' }
  | { readonly code: 'not_found' }
  | { readonly code: 'annotation_not_found' }
  | { readonly code: 'out_of_bounds' }
  | { readonly code: 'too_many_annotations' };

type Decision = readonly AssetEvent[] | Refused<AssetRefusal>;

export const MOST_ANNOTATIONS = 1_000;

export function decide(command: AssetCommand, asset: Asset): Decision {
  if (command.type === 'UploadAsset') return asset.status === 'none' ? upload(command) : refuse({ code: 'exists' });
  if (asset.status === 'none' || asset.workspace !== command.workspace) return refuse({ code: 'not_found' });
  // Removing twice is once; nothing else is left to do.
  if (asset.status === 'removed') return command.type === 'RemoveAsset' ? [] : refuse({ code: 'not_found' });
  switch (command.type) {
    case 'AnnotateAsset':
      return annotate(command, asset);
    case 'RemoveAnnotation':
      return removeAnnotation(command, asset);
    case 'RemoveAsset':
      return [{ type: 'AssetRemoved', data: { at: command.at } }];
    default:
      return unknownCommand(command);
  }
}

function upload({ id, workspace, ticket, name, mediaType, lengthBytes, at, ...bytes }: UploadAsset): Decision {
  const { sha256, place } = bytes;
  const refused = ticketRefusal(ticket, workspace);
  if (refused !== null) return refuse(refused);
  if (ticket.status === 'none') throw new Error('a ticket that was found has a state');
  const facts = { name, media_type: mediaType, sha256, place, length_bytes: lengthBytes };
  return [{ type: 'AssetUploaded', data: { id, workspace, ticket: ticket.id, ...facts, at } }];
}

/** Why a ticket takes no asset; asked before the bytes are read, and again by the decision. */
export function ticketRefusal(ticket: Ticket, workspace: string): AssetRefusal | null {
  if (ticket.status === 'none' || ticket.workspace !== workspace) return { code: 'ticket_not_found' };
  return ticket.status === 'archived' ? { code: 'ticket_archived' } : null;
}

function annotate({ annotation, shape, text, at }: AnnotateAsset, asset: KnownAsset): Decision {
  if (shape.kind === 'box' && (shape.x + shape.width > 1 || shape.y + shape.height > 1)) {
    return refuse({ code: 'out_of_bounds' });
  }
  if (standing(asset) >= MOST_ANNOTATIONS) return refuse({ code: 'too_many_annotations' });
  return [{ type: 'AssetAnnotated', data: { annotation, shape, text, at } }];
}

function removeAnnotation({ annotation, at }: RemoveAnnotation, asset: KnownAsset): Decision {
  const stands = asset.annotations.get(annotation);
  if (stands === undefined) return refuse({ code: 'annotation_not_found' });
  return stands ? [{ type: 'AnnotationRemoved', data: { annotation, at } }] : [];
}

function unknownCommand(command: never): never {
  throw new Error(`unknown asset command ${(command as { type: string }).type}`);
}

export const assetDecider: Decider<AssetCommand, Asset, AssetEvent, AssetRefusal> = {
  initialState: noAsset,
  decide,
  evolve,
};
