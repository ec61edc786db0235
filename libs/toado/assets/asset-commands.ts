import type { Outcome } from '../../event-log/decide-and-append.ts';
import { DecideCommand, handlerOf } from '../../operation/decide-command.ts';
import { outcomeProblem } from '../../operation/outcome-problem.ts';
import { conflict, invalid, notFound, type Problem } from '../../problem/problem.ts';
import type { Asset } from './asset.ts';
import { type AssetCommand, assetDecider, type AssetRefusal, MOST_ANNOTATIONS } from './decide.ts';
import { type AssetEvent, assetStream } from './events.ts';

export type AssetOutcome = Outcome<Asset, AssetEvent, AssetRefusal>;

/** Any command to one asset. */
export class DecideAsset extends DecideCommand<AssetCommand, Asset, AssetEvent, AssetRefusal> {}

export const DecideAssetHandler = handlerOf(DecideAsset, assetStream, assetDecider);

/** What a caller hears when the command was not done. */
export const assetProblem = (outcome: Exclude<AssetOutcome, { kind: 'done' }>): Problem =>
  outcomeProblem(outcome, assetRefusalProblem);

export function assetRefusalProblem(refusal: AssetRefusal): Problem {
  switch (refusal.code) {
    case 'exists':
      return conflict('This asset exists already.');
    case 'ticket_not_found':
      return notFound('There is no such ticket here.');
    case 'ticket_archived':
      return conflict('This ticket is archived. Restore it first.');
    case 'not_found':
      return notFound('There is no such asset here.');
    case 'annotation_not_found':
      return notFound('There is no such annotation here.');
    case 'out_of_bounds':
      return invalid([{ field: 'width', message: 'the box must end within the picture' }]);
    case 'too_many_annotations':
      return conflict(`An asset has ${MOST_ANNOTATIONS} annotations at most.`);
    default:
      return unknownRefusal(refusal);
  }
}

function unknownRefusal(refusal: never): never {
  throw new Error(`unknown refusal ${JSON.stringify(refusal)}`);
}
