import type { RefusalReason, UsageReading, ViewToken, WindowReading } from '../hot-view.ts';

/** What `ADMIT` answers (admit.lua.ts). Numbers are integers, nothing is null. */
export type AdmitReply =
  | readonly ['unknown']
  | readonly ['not-ready', reason: string, ofPartition: 0 | 1]
  | readonly ['admitted', record: string, second: number, epoch: string, ...Readings]
  | readonly [
      'refused',
      record: string,
      second: number,
      epoch: string,
      reason: RefusalReason,
      short: string,
      retryAfterSeconds: number,
      within: 0 | 1,
      ...Readings,
    ];

/** Used and reset of reads, then of writes. */
export type Readings = readonly [number, number, number, number];

/** What `USAGE` answers. */
export type UsageReply = readonly [] | readonly [number, number, number, number, number, number];

export const reading = (limit: number, used: number, resetSeconds: number): WindowReading => ({
  limit,
  used,
  resetSeconds,
});

export const usageOf = ({ limits }: ViewToken, readings: Readings): UsageReading => ({
  reads: reading(limits.reads, readings[0], readings[1]),
  writes: reading(limits.writes, readings[2], readings[3]),
});

/** The arguments of `PUT` for a token. */
export const fieldsOf = (token: ViewToken): (string | number)[] => [
  token.version,
  JSON.stringify(token),
  token.digest,
  token.status,
  token.expiresAtMs ?? '',
  token.retiresAtMs ?? '',
  token.limits.reads,
  token.limits.writes,
  `\n${token.grants.join('\n')}\n`,
  token.catalogues,
];

/** Tells two records of a token apart (`ADMIT` compares it). */
export const stampOf = ({ version, catalogues }: ViewToken): string => `${version} ${catalogues}`;

const MOST_RECORDS = 50_000;

/** Records already parsed, the last of each id; the oldest go first. */
export class ParsedRecords {
  readonly #tokens = new Map<string, ViewToken>();

  get(id: string): ViewToken | undefined {
    return this.#tokens.get(id);
  }

  parse(record: string): ViewToken {
    const token = JSON.parse(record) as ViewToken;
    this.#tokens.delete(token.id);
    this.#tokens.set(token.id, token);
    if (this.#tokens.size > MOST_RECORDS) this.#tokens.delete(this.#tokens.keys().next().value ?? '');
    return token;
  }
}
