import { Inject } from '@nestjs/common';
import type { EventLog, RecordedEvent } from '../../event-log/event-log.ts';
import { EVENT_LOG, TREE } from '../../injection-tokens.ts';
import { bytesSchema } from '../../operation/content.ts';
import { type Call, DeclareOperation, type Operation, READ, type Result } from '../../operation/operation.ts';
import { openedValuesIn } from '../../privacy/opened-values.ts';
import { PersonKeys } from '../../privacy/person-keys.ts';
import { invalid, isProblem, notFound } from '../../problem/problem.ts';
import type { ExportFilter, ExportFormat } from '../../proof/export-lines.ts';
import { JOURNALS_STREAM } from '../../proof/tally.ts';
import { TokenRecords } from '../../tokens/token-records.ts';
import { exportAs, extensionOf } from '../export-as.ts';
import { CheckpointPublisher } from '../publisher.ts';
import type { ExportOptions } from '../select-events.ts';
import type { Tree } from '../tree.ts';
import { ExportInput } from './inputs.ts';

const TYPES: Readonly<Record<ExportFormat, string>> = {
  jsonl: 'application/jsonl',
  csv: 'text/csv; charset=utf-8',
  cloudevents: 'application/cloudevents+jsonl',
};

@DeclareOperation({
  name: 'export_audit',
  title: 'Export the audit trail',
  summary:
    'Every event up to a signed checkpoint, from the log itself, streamed. As JSON Lines it can be verified offline: nothing edited, dropped, added or reordered, and no use of the token left out.',
  catalogue: 'writ',
  scope: 'writ/audit:read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/audit/export' },
  input: ExportInput,
  output: bytesSchema,
  streams: Object.values(TYPES),
  effect: 'reads',
})
export class ExportAuditOperation implements Operation<ExportInput> {
  constructor(
    private readonly publisher: CheckpointPublisher,
    private readonly tokens: TokenRecords,
    private readonly keys: PersonKeys,
    @Inject(TREE) private readonly tree: Tree,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async run(input: ExportInput, call: Call): Promise<Result> {
    const { format = 'jsonl', open: opens = false, up_to: upTo, continue_from: continueFrom, ...asked } = input;
    const { workspace } = call.token;
    if (continueFrom !== undefined && (upTo === undefined || continueFrom > upTo)) {
      return invalid([
        { field: 'continue_from', message: 'needs the `up_to` of what it continues, and is not above it' },
      ]);
    }
    if (asked.token !== undefined && (await this.tokens.find(asked.token, workspace)) === null) {
      return notFound('There is no such token here.');
    }
    const checkpoint = upTo === undefined ? await this.publisher.publish() : await this.publisher.signedOver(upTo);
    if (checkpoint === null) return notFound(`No checkpoint was signed over exactly ${upTo} leaves.`);
    if (isProblem(checkpoint)) return checkpoint;
    const filter: ExportFilter = { workspace, ...asked };
    const mayShow = shownTo(workspace, call.token.grants.includes('writ/operate'), asked.token);
    const madeAt = new Date(call.nowMs).toISOString();
    const options: ExportOptions = {
      log: this.log,
      tree: this.tree,
      checkpoint,
      filter,
      mayShow,
      madeAt,
      ...(opens ? { openedIn: (event: RecordedEvent) => openedValuesIn(event, this.keys) } : {}),
      ...(continueFrom === undefined ? {} : { continueFrom }),
    };
    return {
      content: {
        type: TYPES[format],
        filename: `writ-audit-${checkpoint.size}.${extensionOf(format)}`,
        open: () => exportAs(format, options),
      },
    };
  }
}

/**
 * Events of the caller's workspace (P13). What names none, such as refusals of nobody's credentials, is the operators'
 * to see; of the token asked for it is known whose it is; and tallies name no token to who does not know it.
 */
function shownTo(workspace: string, operator: boolean, token: string | undefined): (event: RecordedEvent) => boolean {
  return (event) => {
    if (event.type === 'UsesTallied' || event.stream === JOURNALS_STREAM) return true;
    const of = workspaceOf(event);
    return of === null ? operator || token !== undefined : of === workspace;
  };
}

function workspaceOf({ data, metadata }: RecordedEvent): string | null {
  const use = metadata['use'] as { readonly workspace?: unknown } | undefined;
  const workspace = use?.workspace ?? (data as { readonly workspace?: unknown } | null)?.workspace;
  return typeof workspace === 'string' ? workspace : null;
}
