import { randomUUID } from 'node:crypto';
import type { EventLog, NewEvent } from '../event-log/event-log.ts';
import { networkOf } from './network.ts';
import { DENIALS_PREFIX, type Face, type TokenUsesDenied } from './use.ts';

export interface Denial {
  /** Null where no valid token was shown. */
  readonly token: string | null;
  readonly workspace?: string;
  readonly face: Face;
  readonly operation: string;
  readonly reason: string;
  readonly clientAddress: string;
}

type Tally = TokenUsesDenied['data'];

const SINGLY_RECORDED = 20;
const MOST_KEYS = 4_096;
const EVERY_MS = 60_000;
const EVENTS_A_BATCH = 500;

/**
 * Refusals, bounded in log and memory whatever the flood (P11): the first 20 per token, reason and minute are recorded
 * singly; the rest, and all where no valid token was shown, are counted by network and written once a minute to
 * `denials-<day>`.
 */
export class Denials {
  readonly #log: EventLog;
  readonly #clock: () => number;
  readonly #timer: NodeJS.Timeout;
  #tallies = new Map<string, Mutable<Tally>>();
  #singly = new Map<string, number>();
  #minute = -1;

  constructor(log: EventLog, clock: () => number) {
    this.#log = log;
    this.#clock = clock;
    this.#timer = setInterval(() => void this.flush().catch(() => undefined), EVERY_MS);
    this.#timer.unref();
  }

  /** Whether this refusal of a valid token is among the first 20 of its token, reason and minute: recorded singly. */
  isSingle(token: string, reason: string): boolean {
    const minute = Math.floor(this.#clock() / 60_000);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#singly.clear();
    }
    const key = `${token} ${reason}`;
    const seen = this.#singly.get(key) ?? 0;
    if (seen >= SINGLY_RECORDED) return false;
    this.#singly.set(key, seen + 1);
    return true;
  }

  count(denial: Denial): void {
    const address = networkOf(denial.clientAddress);
    let key = `${denial.token} ${denial.face} ${denial.operation} ${denial.reason} ${address}`;
    let tally = this.#tallies.get(key);
    const now = new Date(this.#clock()).toISOString();
    if (tally === undefined) {
      const full = this.#tallies.size >= MOST_KEYS;
      // Beyond the bound everything of one reason goes under one key: counted still, no longer told apart.
      if (full) key = `* ${denial.reason}`;
      tally = this.#tallies.get(key);
      if (tally === undefined) {
        const { face, reason, workspace } = denial;
        const ofWorkspace = workspace === undefined ? {} : { workspace };
        tally = full
          ? { token: null, face, operation: '*', reason, address: '*', count: 0, from: now, to: now }
          : {
              token: denial.token,
              ...ofWorkspace,
              face,
              operation: denial.operation,
              reason,
              address,
              count: 0,
              from: now,
              to: now,
            };
        this.#tallies.set(key, tally);
      }
    }
    tally.count++;
    tally.to = now;
  }

  /** Writes what was counted. What the log does not take is kept for the next time. */
  async flush(): Promise<void> {
    const tallies = this.#tallies;
    if (tallies.size === 0) return;
    this.#tallies = new Map();
    const stream = `${DENIALS_PREFIX}${new Date(this.#clock()).toISOString().slice(0, 10)}`;
    const events = [...tallies.values()].map((data): NewEvent => {
      const id = randomUUID();
      return { id, type: 'TokenUsesDenied', data, metadata: { $correlationId: id, $causationId: id, schema: 1 } };
    });
    for (let start = 0; start < events.length; start += EVENTS_A_BATCH) {
      try {
        await this.#log.append(stream, 'any', events.slice(start, start + EVENTS_A_BATCH));
      } catch (error) {
        this.#keep([...tallies].slice(start));
        throw error;
      }
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  #keep(tallies: Iterable<readonly [string, Mutable<Tally>]>): void {
    for (const [key, tally] of tallies) {
      const newer = this.#tallies.get(key);
      if (newer === undefined) {
        if (this.#tallies.size < MOST_KEYS) this.#tallies.set(key, tally);
      } else {
        newer.count += tally.count;
        newer.from = tally.from;
      }
    }
  }
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
