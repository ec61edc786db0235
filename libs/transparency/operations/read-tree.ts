import { Inject } from '@nestjs/common';
import { TREE } from '../../injection-tokens.ts';
import { bytesSchema, type Content } from '../../operation/content.ts';
import { DeclareOperation, type Operation, READ, type Result } from '../../operation/operation.ts';
import { isProblem, notFound } from '../../problem/problem.ts';
import { base64Of } from '../../proof/export-lines.ts';
import { formatVerifier } from '../../proof/note.ts';
import { consistencyRanges, inclusionRanges, includes, rangeHashes } from '../../proof/proofs.ts';
import { parseTilePath } from '../../proof/tiles.ts';
import { NoInput } from '../../tokens/operations/inputs.ts';
import { CheckpointPublisher } from '../publisher.ts';
import { consistencySchema, inclusionSchema, keysSchema } from '../schema.ts';
import type { PublishedCheckpoint, Tree } from '../tree.ts';
import { CheckpointInput, ConsistencyInput, InclusionInput, TileInput } from './inputs.ts';

const AUDIT = {
  catalogue: 'writ',
  scope: 'writ/audit:read',
  cost: READ,
  effect: 'reads',
  readsFrom: 'transparency',
} as const;
const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';

const contentOf = (type: string, bytes: Uint8Array): Content => ({
  type,
  lengthBytes: bytes.length,
  async *open(range) {
    yield range === undefined ? bytes : bytes.subarray(range.first, range.last + 1);
  },
});

@DeclareOperation({
  ...AUDIT,
  name: 'get_checkpoint',
  title: 'Get the signed checkpoint',
  summary:
    'Signs the head of the tree over all events: a C2SP checkpoint. With a size, an older one, with the cosignatures of witnesses.',
  http: { method: 'get', path: '/api/v1/audit/checkpoint' },
  input: CheckpointInput,
  output: bytesSchema,
  streams: [TEXT],
})
export class GetCheckpointOperation implements Operation<CheckpointInput> {
  constructor(
    private readonly publisher: CheckpointPublisher,
    @Inject(TREE) private readonly tree: Tree,
  ) {}

  async run({ size }: CheckpointInput): Promise<Result> {
    const checkpoint = size === undefined ? await this.publisher.publish() : await this.tree.checkpoint(size);
    if (checkpoint === null) return notFound('No checkpoint as old as that was signed.');
    if (isProblem(checkpoint)) return checkpoint;
    return { content: contentOf(TEXT, Buffer.from(checkpoint.note)) };
  }
}

@DeclareOperation({
  ...AUDIT,
  name: 'get_tile',
  title: 'Get a tile of the tree',
  summary:
    'Hashes of the tree, 32 bytes each, as C2SP tlog-tiles: `0/000`, `0/x001/234.p/17`. No events are served so.',
  http: { method: 'get', path: '/api/v1/audit/tile/*path' },
  input: TileInput,
  output: bytesSchema,
  streams: [BYTES],
})
export class GetTileOperation implements Operation<TileInput> {
  constructor(@Inject(TREE) private readonly tree: Tree) {}

  async run({ path }: TileInput): Promise<Result> {
    const address = parseTilePath(path.join('/'));
    const bytes = address === null ? null : await this.tree.tile(address);
    if (bytes === null) return notFound('There is no such tile.');
    return { content: contentOf(BYTES, bytes) };
  }
}

@DeclareOperation({
  ...AUDIT,
  name: 'prove_inclusion',
  title: 'Prove that an event is in the tree',
  summary:
    'The hashes that lead from the event at a log position to the root of a signed checkpoint; signed now, where none covers it yet (RFC 6962 §2.1.1).',
  http: { method: 'get', path: '/api/v1/audit/proofs/inclusion' },
  input: InclusionInput,
  output: inclusionSchema,
})
export class ProveInclusionOperation implements Operation<InclusionInput> {
  constructor(
    private readonly publisher: CheckpointPublisher,
    @Inject(TREE) private readonly tree: Tree,
  ) {}

  /** Under what was signed last, where that covers the event: nothing is signed for it, and no head is waited for. */
  async run({ position }: InclusionInput): Promise<Result> {
    const [leaf, signed] = await Promise.all([this.tree.leafAt(position), this.tree.checkpoint()]);
    const known = signed === null ? null : await this.#prove(leaf, signed);
    if (known !== null) return { body: known };
    const checkpoint = await this.publisher.publish();
    if (isProblem(checkpoint)) return checkpoint;
    const proved = await this.#prove(await this.tree.leafAt(position), checkpoint);
    return proved === null ? notFound('There is no event at that position.') : { body: proved };
  }

  /** Null: the event is not under the checkpoint, or the tree is not what was signed, which the publisher finds too. */
  async #prove(leaf: number | null, checkpoint: PublishedCheckpoint) {
    const { size, root } = checkpoint;
    if (leaf === null || leaf >= size) return null;
    const [leafHash, ...proof] = await rangeHashes(
      [{ from: leaf, to: leaf + 1 }, ...inclusionRanges(leaf, size)],
      this.tree.subtreeHashes.bind(this.tree),
    );
    if (!includes(leaf, size, leafHash!, proof, root)) return null;
    return { leaf, leaf_hash: base64Of(leafHash!), proof: proof.map(base64Of), ...viewOf(checkpoint) };
  }
}

@DeclareOperation({
  ...AUDIT,
  name: 'prove_consistency',
  title: 'Prove that the tree only grew',
  summary: 'The hashes that lead from the tree of an older size to that of a signed checkpoint (RFC 6962 §2.1.2).',
  http: { method: 'get', path: '/api/v1/audit/proofs/consistency' },
  input: ConsistencyInput,
  output: consistencySchema,
})
export class ProveConsistencyOperation implements Operation<ConsistencyInput> {
  constructor(
    private readonly publisher: CheckpointPublisher,
    @Inject(TREE) private readonly tree: Tree,
  ) {}

  async run({ from }: ConsistencyInput): Promise<Result> {
    const checkpoint = await this.publisher.publish();
    if (isProblem(checkpoint)) return checkpoint;
    if (from > checkpoint.size) return notFound('The tree has not grown to that size.');
    const hashesOf = this.tree.subtreeHashes.bind(this.tree);
    const proof = await rangeHashes(consistencyRanges(from, checkpoint.size), hashesOf);
    return { body: { from, proof: proof.map(base64Of), ...viewOf(checkpoint) } };
  }
}

@DeclareOperation({
  ...AUDIT,
  name: 'list_signing_keys',
  title: 'List the keys that sign checkpoints',
  summary: 'Public keys in the form verifiers take (vkeys): of the log, and of the witnesses this server accepts.',
  http: { method: 'get', path: '/api/v1/audit/keys' },
  input: NoInput,
  output: keysSchema,
})
export class ListSigningKeysOperation implements Operation<NoInput> {
  constructor(private readonly publisher: CheckpointPublisher) {}

  run(): Result {
    const { origin, keys, witnesses } = this.publisher;
    return { body: { origin, keys: keys.map(formatVerifier), witnesses: witnesses.map(formatVerifier) } };
  }
}

const viewOf = ({ size, root, note }: PublishedCheckpoint) => ({ size, root: base64Of(root), checkpoint: note });
