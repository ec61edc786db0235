import type { Limits } from '../../tokens/limits.ts';
import { companyKey, companyKeyOf } from '../company-key.ts';
import type {
  CeilingReading,
  RefusalReason,
  UsageReading,
  Verdict,
  ViewCompany,
  ViewToken,
  ViewWorkspace,
  WindowReading,
} from '../hot-view.ts';
import { ceilingField } from './keys.ts';

/** What `ADMIT` answers (admit.lua.ts); `record` is stamped, or empty. Numbers are integers, nothing is null. */
export type AdmitReply =
  | readonly ['unknown']
  | readonly ['not-ready', reason: string, ofPartition: 0 | 1]
  | readonly ['admitted' | 'below-ceiling', record: string, second: number, epoch: string, ...Readings]
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

/** Limit in force, used and reset of reads, then of writes. */
export type Readings = readonly [number, number, number, number, number, number];

/** What `TAKE_CEILING` answers (ceiling.lua.ts): of a budget without a ceiling the limit is -1. */
export type TakeCeilingReply =
  | readonly ['none']
  | readonly ['not-ready', reason: string]
  | readonly ['short', short: string, retryAfterSeconds: number, ...Readings]
  | readonly ['taken', second: number, epoch: string, ...Readings];

/** What `GIVE_BACK` answers. */
export type GiveBackReply =
  | readonly ['unknown']
  | readonly ['not-ready', reason: string]
  | readonly ['given-back', retryAfterSeconds: number, within: 0 | 1, ...Readings];

/** What `CEILING_USAGE` answers. */
export type CeilingUsageReply = readonly [] | Readings;

/** What `GET` answers: the record, and the limits in force. */
export type GetReply = readonly [] | readonly [record: string, reads: number, writes: number];

/** What `USAGE` answers. */
export type UsageReply = readonly [] | Readings;

const reading = (limit: number, used: number, resetSeconds: number): WindowReading => ({
  limit,
  used,
  resetSeconds,
});

export const usageOf = (readings: Readings): UsageReading => ({
  reads: reading(readings[0], readings[1], readings[2]),
  writes: reading(readings[3], readings[4], readings[5]),
});

const below = (limit: number, used: number, resetSeconds: number): WindowReading | null =>
  limit === -1 ? null : reading(limit, used, resetSeconds);

export const ceilingReadingOf = (readings: Readings): CeilingReading => ({
  reads: below(readings[0], readings[1], readings[2]),
  writes: below(readings[3], readings[4], readings[5]),
});

export const NOTHING_USED: Readings = [0, 0, 0, 0, 0, 0];

const RETRY_NOT_READY_SECONDS = 1;

export const notReady = (reason: string): Verdict => ({
  kind: 'not-ready',
  reason,
  retryAfterSeconds: RETRY_NOT_READY_SECONDS,
});

/** The token as it was written, with the limits the view says are in force. */
export function inForce(token: ViewToken, { reads, writes }: Limits): ViewToken {
  const same = token.limits.reads === reads && token.limits.writes === writes;
  return same ? token : { ...token, limits: { reads, writes } };
}

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
  token.ownLimits.reads !== null ? 'reads' : token.ownLimits.writes !== null ? 'writes' : '',
  companyKeyOf(token) ?? '',
];

/** The arguments of `PUT_LIMITS` for a company. */
export const fieldsOfCompany = ({ workspace, id, version, limits }: ViewCompany): (string | number)[] => [
  companyKey(workspace, id),
  version,
  limits.reads ?? '',
  limits.writes ?? '',
];

/** The arguments of `PUT_LIMITS` for a workspace. */
export const fieldsOfWorkspace = ({ id, version, ceiling }: ViewWorkspace): (string | number)[] => [
  ceilingField(id),
  version,
  ceiling.reads ?? '',
  ceiling.writes ?? '',
];

const MOST_RECORDS = 50_000;

/** A record, and what tells it from others of the same token (`ADMIT` compares it). */
interface ParsedRecord {
  readonly token: ViewToken;
  readonly stamp: string;
}

/** Records already parsed, the last of each id; the oldest go first. */
export class ParsedRecords {
  readonly #records = new Map<string, ParsedRecord>();

  get(id: string): ParsedRecord | undefined {
    return this.#records.get(id);
  }

  /** @param stamped as `ADMIT` answers it: the stamp, a line end, the record */
  parse(stamped: string): ViewToken {
    const end = stamped.indexOf('\n');
    const token = JSON.parse(stamped.slice(end + 1)) as ViewToken;
    this.#records.delete(token.id);
    this.#records.set(token.id, { token, stamp: stamped.slice(0, end) });
    if (this.#records.size > MOST_RECORDS) this.#records.delete(this.#records.keys().next().value ?? '');
    return token;
  }
}
