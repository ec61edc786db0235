import type { Calls, Digest, Rows } from '../digest.ts';
import { byText, changeText, listed, moment, number, tokenText } from './words.ts';

/** A table of a digest, whatever it is printed as: plain texts, numbers to the right. */
export interface Section {
  readonly title: string;
  /** What there is to know of it. */
  readonly note: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
  readonly more: number;
}

export interface Column {
  readonly name: string;
  readonly isNumber: boolean;
}

const text = (name: string): Column => ({ name, isNumber: false });
const count = (name: string): Column => ({ name, isNumber: true });

const CALLS = [count('allowed'), count('failed'), count('denied')];
const callsOf = ({ allowed, failed, denied }: Calls): string[] => [allowed, failed, denied].map(number);

/** All tables, in the order a reader wants them: what was changed, what is odd, then what was used. */
export function sectionsOf(digest: Digest): readonly Section[] {
  return [
    section(
      'What was done to tokens',
      'In the order it was recorded.',
      [text('when'), text('token'), text('id'), text('what'), text('by')],
      digest.changes,
      (change) => [moment(change.at), tokenText(change.token), change.token.id, changeText(change), byText(change.by)],
    ),
    section(
      'Expired',
      'Tokens whose time was up.',
      [text('when'), text('token'), text('id')],
      digest.expired_tokens,
      ({ at, token }) => [moment(at), tokenText(token), token.id],
    ),
    section(
      'Addresses seen for the first time',
      `From where a token, or the one it succeeds, had not called in the 30 days before.${digest.first_seen_addresses.complete ? '' : ' There were so many addresses that some were not told apart: this list is not complete.'}`,
      [text('when'), text('address'), text('token'), text('id'), text('first call'), text('decision')],
      digest.first_seen_addresses,
      ({ at, address, token, operation, decision }) => [
        moment(at),
        address,
        tokenText(token),
        token.id,
        operation,
        decision,
      ],
    ),
    section(
      'Tokens at their limit',
      'Calls that were denied because the limit of the minute was used up.',
      [text('token'), text('id'), count('throttled')],
      digest.throttled_tokens,
      ({ token, throttled }) => [tokenText(token), token.id, number(throttled)],
    ),
    section(
      'Unused tokens',
      'Alive at the end of the period, and called not once: candidates for revoking.',
      [text('token'), text('id'), text('catalogue'), text('status'), text('scopes'), text('created')],
      digest.unused_tokens,
      ({ token, catalogue, status, scopes, created_at }) => [
        tokenText(token),
        token.id,
        catalogue,
        status,
        listed(scopes),
        moment(created_at),
      ],
    ),
    section(
      'Unused scopes',
      'Held at the end of the period, and asked for by none of the token’s calls: candidates for narrowing. A scope that includes others may be how the needed ones were held.',
      [text('token'), text('id'), text('catalogue'), text('unused'), text('needed')],
      digest.unused_scopes,
      ({ token, catalogue, unused, needed }) => [tokenText(token), token.id, catalogue, listed(unused), listed(needed)],
    ),
    section(
      'Calls by token',
      'Failed: let in, and answered with a problem. Denied: not let in.',
      [text('token'), text('id'), text('status'), ...CALLS, text('last call')],
      digest.tokens,
      (row) => [tokenText(row.token), row.token.id, row.status, ...callsOf(row), moment(row.last_used_at)],
    ),
    section('Calls by operation', '', [text('operation'), ...CALLS], digest.operations, (row) => [
      row.operation,
      ...callsOf(row),
    ]),
    section(
      'Calls by routine',
      'Made as steps of the routine’s runs.',
      [text('routine'), text('id'), ...CALLS],
      digest.routines,
      (row) => [row.name ?? 'unknown', row.routine, ...callsOf(row)],
    ),
    section('Calls by face', '', [text('face'), ...CALLS], all(digest.faces), (row) => [row.face, ...callsOf(row)]),
    section('Why calls were denied', '', [text('reason'), count('denied')], all(digest.reasons), (row) => [
      row.reason.replaceAll('_', ' '),
      number(row.denied),
    ]),
  ];
}

/** The figures at the top. */
export const figuresOf = ({ totals }: Digest): readonly (readonly [name: string, value: number])[] => [
  ['calls allowed', totals.allowed],
  ['calls failed', totals.failed],
  ['calls denied', totals.denied],
  ['of them throttled', totals.throttled],
  ['tokens created', totals.tokens_created],
  ['tokens rescoped', totals.tokens_scoped],
  ['tokens rotated', totals.tokens_rotated],
  ['tokens revoked', totals.tokens_revoked],
  ['tokens expired', totals.tokens_expired],
  ['tokens alive at the end', totals.tokens_alive],
  ['tokens used', totals.tokens_used],
  ['late calls of earlier periods', totals.late],
];

const all = <Row>(items: readonly Row[]): Rows<Row> => ({ items, more: 0 });

function section<Row>(
  title: string,
  note: string,
  columns: readonly Column[],
  { items, more }: Rows<Row>,
  row: (item: Row) => readonly string[],
): Section {
  return { title, note, columns, rows: items.map(row), more };
}
