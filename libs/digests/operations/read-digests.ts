import { hash } from 'node:crypto';
import { QueryBus } from '@nestjs/cqrs';
import type { Content } from '../../operation/content.ts';
import { type Call, DeclareOperation, type Operation, READ, type Result } from '../../operation/operation.ts';
import { pageOfInput } from '../../operation/page-input.ts';
import { notFound, otherThanJson, unavailable } from '../../problem/problem.ts';
import { type Digest, withRows } from '../digest.ts';
import { DigestKeeper } from '../digest-keeper.ts';
import { GRACE_MS } from '../due-periods.ts';
import { parsePeriod, type Period } from '../period.ts';
import { ListDigests } from '../queries.ts';
import { htmlOf } from '../render/html.ts';
import { markdownOf } from '../render/markdown.ts';
import { STYLE_HASH } from '../render/style.ts';
import { digestListSchema, digestSchema } from '../schema.ts';
import { GetDigestInput, ListDigestsInput } from './inputs.ts';

const MARKDOWN = 'text/markdown; charset=utf-8';
const HTML = 'text/html; charset=utf-8';
const AGAIN_AFTER_SECONDS = 10;

const AUDIT = { catalogue: 'writ', scope: 'writ/audit:read', cost: READ, effect: 'reads' } as const;

const instantMs = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time));

@DeclareOperation({
  ...AUDIT,
  name: 'list_digests',
  title: 'List digests',
  summary:
    'The digests of days, ISO weeks and months that were made of the workspace, newest first, with their totals.',
  http: { method: 'get', path: '/api/v1/audit/digests' },
  input: ListDigestsInput,
  output: digestListSchema,
  readsFrom: 'digests',
})
export class ListDigestsOperation implements Operation<ListDigestsInput> {
  constructor(private readonly queries: QueryBus) {}

  async run({ period, from, to, ...page }: ListDigestsInput, { token: { workspace } }: Call): Promise<Result> {
    const asked = { workspace, period, fromMs: instantMs(from), toMs: instantMs(to), ...pageOfInput(page) };
    return { body: await this.queries.execute(new ListDigests(asked)) };
  }
}

@DeclareOperation({
  ...AUDIT,
  name: 'get_digest',
  title: 'Read a digest',
  summary:
    'What happened in the workspace in a day (2026-11-24), ISO week (2026-W48) or month (2026-11), UTC: what was done to tokens, calls and refusals by token, face, operation and routine, unused tokens and scopes, tokens at their limit, addresses seen for the first time. Made ten minutes after the period’s end, or when first asked for, and the same ever after.',
  http: { method: 'get', path: '/api/v1/audit/digests/:id' },
  input: GetDigestInput,
  output: digestSchema,
  alsoAs: [MARKDOWN, HTML],
  resource: ({ id }) => `digest/${id}`,
})
export class GetDigestOperation implements Operation<GetDigestInput> {
  constructor(private readonly keeper: DigestKeeper) {}

  async run({ id, format = 'json', rows }: GetDigestInput, { face, token: { workspace } }: Call): Promise<Result> {
    if (format !== 'json' && face !== 'rest') return otherThanJson();
    const period = parsePeriod(id);
    if (period === null) return notFound(`There is no day, week or month ${id}.`);
    const found = await this.keeper.find(workspace, period);
    switch (found.kind) {
      case 'found': {
        const digest = rows === undefined ? found.digest : withRows(found.digest, rows);
        return format === 'json' ? { body: digest } : { content: pageOf(digest, format) };
      }
      case 'not_over':
        return notFound(notOver(period));
      case 'not_there':
        return notFound(`The workspace was not there yet in ${id}.`);
      case 'being_made':
        return unavailable('The digest is being made.', AGAIN_AFTER_SECONDS);
      default:
        return unknownFinding(found);
    }
  }
}

const notOver = ({ id, toMs }: Period): string =>
  `The period ${id} ends at ${new Date(toMs).toISOString()}; its digest can be had from ${new Date(toMs + GRACE_MS).toISOString()} on.`;

function pageOf(digest: Digest, format: 'markdown' | 'html'): Content {
  const isHtml = format === 'html';
  const bytes = Buffer.from(isHtml ? htmlOf(digest) : markdownOf(digest));
  return {
    type: isHtml ? HTML : MARKDOWN,
    filename: `writ-digest-${digest.id}.${isHtml ? 'html' : 'md'}`,
    ...(isHtml ? { styleHash: STYLE_HASH } : {}),
    lengthBytes: bytes.length,
    etag: hash('sha256', bytes),
    async *open(range) {
      yield range === undefined ? bytes : bytes.subarray(range.first, range.last + 1);
    },
  };
}

function unknownFinding(found: never): never {
  throw new Error(`unknown finding ${JSON.stringify(found)}`);
}

export const READ_DIGESTS = [ListDigestsOperation, GetDigestOperation];
