import { crc32 } from 'node:zlib';
import { lineageKey } from '../../tokens/token-id.ts';
import { PARTITIONS } from '../hot-view.ts';

/** Names of the keys. All of a partition share a hash tag, so that one script may touch them in a cluster too. */
export class Keys {
  readonly #namespace: string;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  header(partition: number): string {
    return `{${this.#namespace}:${partition}}:header`;
  }

  /** What the companies say, in each partition: one script may touch no other's keys. */
  companies(partition: number): string {
    return `{${this.#namespace}:${partition}}:companies`;
  }

  token(id: string): string {
    return `{${this.#namespace}:${partitionOf(id)}}:token:${id}`;
  }

  /** All that a call by a token touches: header, token, windows, companies. */
  ofToken(id: string): string[] {
    const partition = partitionOf(id);
    return [this.header(partition), this.token(id), this.windows(id), this.companies(partition)];
  }

  /** Header and windows of a workspace's own partition. */
  ofWorkspace(id: string): string[] {
    return [this.header(partitionOfWorkspace(id)), this.ceilingWindows(id)];
  }

  /** Of all tokens, for `SCAN`. */
  get tokenPattern(): string {
    return `{${this.#namespace.replaceAll(/[*?[\]\\]/g, '\\$&')}:*}:token:*`;
  }

  /** Of the token's lineage. */
  windows(id: string): string {
    return `{${this.#namespace}:${partitionOf(id)}}:windows:${lineageKey(id)}`;
  }

  /** What was taken from a workspace's ceiling. */
  ceilingWindows(workspace: string): string {
    return `{${this.#namespace}:${partitionOfWorkspace(workspace)}}:ceiling:${workspace}`;
  }
}

/** The same for all ids of a lineage. */
export const partitionOf = (id: string): number => crc32(lineageKey(id)) % PARTITIONS;

/** Where what all tokens of a workspace take together is counted. */
export const partitionOfWorkspace = (id: string): number => crc32(id) % PARTITIONS;

/** What a workspace's ceiling is kept under in the header of each partition: whoever reads that finds it on the way. */
export const ceilingField = (workspace: string): string => `ceiling:${workspace}`;
