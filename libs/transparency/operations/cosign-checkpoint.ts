import { Inject } from '@nestjs/common';
import { appendFor } from '../../event-log/decide-and-append.ts';
import type { EventLog } from '../../event-log/event-log.ts';
import { EVENT_LOG, TREE } from '../../injection-tokens.ts';
import { AtHead } from '../../operation/at-head.ts';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../operation/operation.ts';
import { conflict, invalid } from '../../problem/problem.ts';
import { parseCheckpoint } from '../../proof/checkpoint.ts';
import { base64Of } from '../../proof/export-lines.ts';
import { sameHash } from '../../proof/hash.ts';
import { parseNote, signaturesOn } from '../../proof/note.ts';
import { CHECKPOINTS_STREAM, type CheckpointCosigned } from '../events.ts';
import { CheckpointPublisher } from '../publisher.ts';
import { cosignedSchema } from '../schema.ts';
import type { Tree } from '../tree.ts';
import { CosignInput } from './inputs.ts';

@DeclareOperation({
  name: 'cosign_checkpoint',
  title: 'Add a witness’s cosignature',
  summary: 'Keeps the cosignatures of known witnesses (c2sp.org/tlog-cosignature) on a checkpoint this log has signed.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/audit/checkpoint/cosignatures', status: 201 },
  input: CosignInput,
  output: cosignedSchema,
  effect: 'adds',
})
export class CosignCheckpointOperation implements Operation<CosignInput> {
  constructor(
    private readonly publisher: CheckpointPublisher,
    private readonly atHead: AtHead,
    @Inject(TREE) private readonly tree: Tree,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async run({ note: text }: CosignInput, call: Call): Promise<Result> {
    const note = parseNote(text);
    const checkpoint = note === null ? null : parseCheckpoint(note.text);
    if (note === null || checkpoint === null) return invalid([{ field: 'note', message: 'is no checkpoint' }]);
    // One just signed may not be in the tree's tables yet.
    await this.atHead.of('transparency');
    const published = await this.tree.checkpoint(checkpoint.size);
    const ours = published?.size === checkpoint.size && sameHash(published.root, checkpoint.root);
    if (!ours || checkpoint.origin !== this.publisher.origin)
      return conflict('This log has signed no such checkpoint.');
    const signed = signaturesOn(note, this.publisher.witnesses).filter(({ kind }) => kind === 'signed');
    if (signed.length === 0) return invalid([{ field: 'note', message: 'bears no signature of a known witness' }]);

    const context = call.append('checkpoint');
    const at = new Date(call.nowMs).toISOString();
    const { size } = checkpoint;
    const events = signed.map(({ by }, index) => {
      const line = lineOf(text, by.name);
      const data: CheckpointCosigned['data'] = { size, witness: by.name, line, at };
      return { id: context.eventId(index), type: 'CheckpointCosigned', data, metadata: context.metadata };
    });
    // Witnesses may come at once, each with its own word: none of them must win.
    const { position } = await appendFor(this.log, CHECKPOINTS_STREAM, 'any', events, context);
    return { body: { size, witnesses: signed.map(({ by }) => by.name), root: base64Of(checkpoint.root) }, position };
  }
}

/** The signature line of a name, newline included. */
const lineOf = (note: string, name: string): string =>
  `${note.split('\n').find((line) => line.startsWith(`— ${name} `)) ?? ''}\n`;
