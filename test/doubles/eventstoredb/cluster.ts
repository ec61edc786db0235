import { randomUUID } from 'node:crypto';
import { gossipPb, uuidOf } from './messages.ts';
import { EventStoreDouble } from './server.ts';
import { EventStore } from './store.ts';

type ClusterInfo = InstanceType<(typeof gossipPb)['ClusterInfo']>;

/**
 * A cluster of doubles: one leader, which may change, and followers that hold what it holds at once (a real one's lag
 * is not shown; that reads require the leader, `answeredAsFollower` tells).
 */
export class EventStoreCluster {
  readonly store = new EventStore();
  readonly nodes: readonly EventStoreDouble[];
  leader: EventStoreDouble | null;
  #electEvery = Infinity;
  #appends = 0;

  constructor(size = 3) {
    this.nodes = Array.from({ length: size }, () => new EventStoreDouble({ store: this.store, cluster: this }));
    this.leader = this.nodes[0] ?? null;
  }

  /** Names every node; the client asks any of them who leads. */
  get connectionString(): string {
    return `esdb://${this.nodes.map(({ endpoint }) => `${endpoint.address}:${endpoint.port}`).join(',')}?tls=false`;
  }

  /** Names one (a DNS name, with a real cluster), which is asked for the others. */
  get discoveryString(): string {
    const { address, port } = (this.nodes.at(-1) ?? this.#none()).endpoint;
    return `esdb+discover://${address}:${port}?tls=false`;
  }

  async start(): Promise<this> {
    for (const node of this.nodes) await node.start();
    return this;
  }

  stop(): void {
    for (const node of this.nodes) node.stop();
  }

  /** The next living node leads; the one before follows it, if it lives. */
  elect(): void {
    const living = this.nodes.filter(({ alive }) => alive);
    const next = this.leader === null ? 0 : living.indexOf(this.leader) + 1;
    this.leader = living[next % living.length] ?? null;
  }

  /** From now on each so-many-th append finds that the leader has changed. */
  electEvery(appends: number): void {
    this.#electEvery = appends;
  }

  /** Told by the nodes. */
  appendArrived(): void {
    this.#appends += 1;
    if (this.#appends % this.#electEvery === 0) this.elect();
  }

  gossip(): ClusterInfo {
    const { LEADER, FOLLOWER } = gossipPb.MemberInfo.VNodeState;
    const info = new gossipPb.ClusterInfo();
    for (const node of this.nodes) {
      const endpoint = new gossipPb.EndPoint();
      endpoint.setAddress(node.endpoint.address);
      endpoint.setPort(node.endpoint.port);
      const member = new gossipPb.MemberInfo();
      member.setInstanceId(uuidOf(randomUUID()));
      member.setState(node === this.leader ? LEADER : FOLLOWER);
      member.setIsAlive(node.alive);
      member.setHttpEndPoint(endpoint);
      info.addMembers(member);
    }
    return info;
  }

  // The suites' faults fall upon whoever leads.

  cutBeforeStore(): void {
    (this.leader ?? this.#none()).cutBeforeStore();
  }

  cutAfterStore(): void {
    (this.leader ?? this.#none()).cutAfterStore();
  }

  dropSubscriptions(): void {
    for (const node of this.nodes) node.dropSubscriptions();
  }

  changeLeader(): void {
    this.elect();
  }

  #none(): never {
    throw new Error('the cluster has no such node');
  }
}
