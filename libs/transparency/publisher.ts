import { randomUUID } from 'node:crypto';
import { type EventLog, WrongExpectedRevision } from '../event-log/event-log.ts';
import { ownMetadata } from '../event-log/own-metadata.ts';
import type { Freshness } from '../gate/freshness.ts';
import { checkpointText } from '../proof/checkpoint.ts';
import { base64Of } from '../proof/export-lines.ts';
import { emptyRoot, type Hash, sameHash } from '../proof/hash.ts';
import { noteOf, signatureLine, type Signer, type Verifier } from '../proof/note.ts';
import { notFound, type Problem, unavailable } from '../problem/problem.ts';
import { rangeHashes } from '../proof/proofs.ts';
import { type CheckpointEvent, CHECKPOINTS_STREAM, type CheckpointPublished } from './events.ts';
import { holdsMoreThanHousekeeping } from './housekeeping.ts';
import type { PublishedCheckpoint, Tree } from './tree.ts';

export interface PublisherOptions {
  readonly log: EventLog;
  readonly tree: Tree;
  readonly freshness: Freshness;
  readonly origin: string;
  /** Read anew each time, so that a key can be added while it runs; none: this process signs nothing. */
  readonly signers: () => readonly Signer[];
  /** Whose cosignatures are kept. */
  readonly witnesses: readonly Verifier[];
}

const WAIT_MS = 2_000;
const ATTEMPTS = 3;

/** Signs the tree's head and keeps what it signed in the log, where several processes see each other's. */
export class CheckpointPublisher {
  readonly #options: PublisherOptions;
  #alarm: string | null = null;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  get origin(): string {
    return this.#options.origin;
  }

  get keys(): readonly Verifier[] {
    return this.#options.signers();
  }

  get witnesses(): readonly Verifier[] {
    return this.#options.witnesses;
  }

  /** Why nothing is signed any more: the log is not what was signed. Null: it is. */
  get alarm(): string | null {
    return this.#alarm;
  }

  /**
   * A checkpoint over all that is in the log now, or the newest one where nothing but housekeeping came after it.
   * @throws LogUnavailable
   */
  async publish(): Promise<PublishedCheckpoint | Problem> {
    const { log, tree, freshness } = this.#options;
    const head = await log.head();
    if (head !== null && (await freshness.waitFor('transparency', head, WAIT_MS)) !== 'reached') {
      return unavailable('The tree has not taken in the whole log yet.');
    }
    const size = head === null ? 0 : await tree.leavesUpTo(head);
    for (let attempt = 1; ; attempt++) {
      const newest = await this.#newest();
      if (newest !== null && !(await this.#holds(newest.checkpoint))) return unavailable(String(this.#alarm));
      if (newest !== null && (await this.#nothingSince(newest.checkpoint, size))) return newest.checkpoint;
      const signers = this.#options.signers();
      if (signers.length === 0) {
        return newest?.checkpoint ?? notFound('Nothing has been signed yet: this server has no signing key.');
      }
      try {
        return await this.#sign(size, signers, newest?.revision ?? null);
      } catch (error) {
        // Another process has just signed.
        if (!(error instanceof WrongExpectedRevision) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** The checkpoint signed over exactly so many leaves; null: none was. @throws LogUnavailable */
  async signedOver(size: number): Promise<PublishedCheckpoint | null> {
    const known = await this.#options.tree.checkpoint(size);
    if (known?.size === size) return known;
    // One just signed is in the log before it is among the tree's.
    const newest = await this.#newest();
    return newest?.checkpoint.size === size ? newest.checkpoint : null;
  }

  /**
   * Whether the tree still is what a checkpoint says it was; where not, the alarm stands until it is again. The newest
   * speaks for all before it: an edit of any earlier event changes its root.
   */
  async #holds({ size, root }: PublishedCheckpoint): Promise<boolean> {
    const found = await rootAt(this.#options.tree, size);
    const holds = sameHash(found, root);
    this.#alarm = holds
      ? null
      : `The first ${size} events do not hash to what was signed (${base64Of(root)}), but to ${base64Of(found)}.`;
    return holds;
  }

  async #newest(): Promise<{ readonly checkpoint: PublishedCheckpoint; readonly revision: number } | null> {
    let revision: number | null = null;
    for await (const event of this.#options.log.readStream(CHECKPOINTS_STREAM, { direction: 'backwards' })) {
      revision ??= event.revision;
      const known = event as unknown as CheckpointEvent;
      if (known.type !== 'CheckpointPublished') continue;
      const { size, root, note } = known.data;
      return { checkpoint: { size, root: Buffer.from(root, 'base64'), note }, revision };
    }
    return null;
  }

  async #nothingSince(checkpoint: PublishedCheckpoint, size: number): Promise<boolean> {
    const since = size - checkpoint.size;
    if (since <= 0) return true;
    return !(await holdsMoreThanHousekeeping(this.#options.log, { direction: 'backwards', limit: since }));
  }

  async #sign(size: number, signers: readonly Signer[], revision: number | null): Promise<PublishedCheckpoint> {
    const root = await rootAt(this.#options.tree, size);
    const text = checkpointText({ origin: this.#options.origin, size, root });
    const note = noteOf(
      text,
      signers.map((signer) => signatureLine(text, signer)),
    );
    const data: CheckpointPublished['data'] = { size, root: base64Of(root), note, at: new Date().toISOString() };
    await this.#options.log.append(CHECKPOINTS_STREAM, revision ?? 'no-stream', [
      {
        id: randomUUID(),
        type: 'CheckpointPublished',
        data,
        metadata: ownMetadata(),
      },
    ]);
    return { size, root, note };
  }
}

/** The root of the tree when it had so many leaves. */
export async function rootAt(tree: Tree, size: number): Promise<Hash> {
  if (size === 0) return emptyRoot();
  const [root] = await rangeHashes([{ from: 0, to: size }], tree.subtreeHashes.bind(tree));
  return root!;
}
