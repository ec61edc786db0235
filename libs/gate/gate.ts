import { Inject, Injectable, Logger } from '@nestjs/common';
import { AppendTooLarge, LogUnavailable, MAX_APPEND_BYTES, OutcomeUnknown } from '../event-log/event-log.ts';
import { type HotView, type Pass, type UsageReading, type Verdict, ViewUnavailable } from '../hot-view/hot-view.ts';
import { FRESHNESS, HOT_VIEW } from '../injection-tokens.ts';
import { UploadBroken } from '../operation/content.ts';
import type { DeclaredOperation, Done, OperationSpec, Result } from '../operation/operation.ts';
import {
  internal,
  isProblem,
  malformed,
  type Problem,
  takesBytes,
  tooLargeToStore,
  unauthorized,
  unavailable,
} from '../problem/problem.ts';
import { BadCursor } from '../read-db/page.ts';
import { areUnavailable } from '../read-db/read-models-unavailable.ts';
import { Denials } from '../usage/denials.ts';
import { UsageJournal, UseNotRecorded } from '../usage/journal.ts';
import { refusalProblem } from './admit.ts';
import type { Credential } from './authenticate.ts';
import { AdmittedCall, CallerDead, type Means, metadataOf, type PassItem, useOfCall } from './call.ts';
import type { Envelope } from './envelope.ts';
import { awaitFreshness, type Freshness } from './freshness.ts';
import { watched } from './long-answer.ts';
import { parseInput } from './parse-input.ts';
import { preconditions } from './preconditions.ts';

/** What a face answers with. */
export interface Reply {
  readonly result: Done | Problem;
  readonly spec: OperationSpec;
  readonly requestId: string;
  /** What is left, for answers to live tokens. */
  readonly usage: UsageReading | null;
}

/**
 * The one way in, for every face (DESIGN §2). The order of `#pass` is the promise: who, may they, have they some left,
 * what do they ask, do it, record it, does it still stand — and only then the answer.
 */
@Injectable()
export class Gate {
  readonly #view: HotView;
  readonly #freshness: Freshness;
  readonly #journal: UsageJournal;
  readonly #denials: Denials;
  readonly #means: Means;
  readonly #logger = new Logger(Gate.name);

  constructor(
    @Inject(HOT_VIEW) view: HotView,
    @Inject(FRESHNESS) freshness: Freshness,
    journal: UsageJournal,
    denials: Denials,
  ) {
    this.#view = view;
    this.#freshness = freshness;
    this.#journal = journal;
    this.#denials = denials;
    this.#means = { view, journal, passItem: this.#item };
  }

  /** Never throws: whatever goes wrong is a problem, and fails closed (P4). */
  async handle(declared: DeclaredOperation, envelope: Envelope): Promise<Reply> {
    const { spec } = declared;
    try {
      return await this.#pass(declared, envelope);
    } catch (error) {
      return this.#reply(this.#fault(error, envelope), spec, envelope, null);
    }
  }

  async #pass(declared: DeclaredOperation, envelope: Envelope): Promise<Reply> {
    const { spec } = declared;
    const startedMs = performance.now();

    const credential = envelope.authenticate();
    if (isProblem(credential)) {
      this.#countUnknown(spec, envelope);
      return this.#reply(credential, spec, envelope, null);
    }

    const verdict = await this.#admit(credential, spec);
    if (verdict.kind !== 'admitted') return this.#refuse(verdict, spec, envelope, startedMs);

    const call = this.#parse(declared, envelope, verdict, startedMs);
    const result = isProblem(call) ? call : await this.#run(declared, call.input, call.admitted, envelope);

    const admitted = isProblem(call) ? null : call.admitted;
    if (admitted?.itemised !== true) {
      await this.#record(result, spec, envelope, verdict, startedMs, admitted?.resource ?? null);
    }

    const standing = await this.#confirm(verdict, result);
    const answer = standing ?? this.#watched(result, spec, envelope, verdict);
    return this.#reply(answer, spec, envelope, standing === null ? (admitted ?? verdict).usage : null);
  }

  /** One thing of several that a call does: the steps of `#pass` again, for it alone. */
  readonly #item: PassItem = async (call, { spec, envelope, ...first }, resource, run) => {
    const startedMs = call.itemised ? performance.now() : first.startedMs;
    // The first is what the call itself was let in for.
    const verdict = call.itemised ? await this.#admit(first.pass.token, spec) : first.pass;
    if (verdict.kind !== 'admitted') {
      const { result } = await this.#refuse(verdict, spec, envelope, startedMs);
      return { kind: 'stopped', problem: result };
    }
    const item = call.asItem(verdict, startedMs);
    try {
      const result = await run(item);
      await this.#record(result, spec, envelope, verdict, startedMs, resource);
      return { kind: 'ran', result };
    } catch (error) {
      const problem = this.#fault(error, envelope);
      await this.#record(problem, spec, envelope, verdict, startedMs, resource);
      return { kind: 'stopped', problem };
    }
  };

  #admit({ id, digest }: Credential, { scope, cost }: OperationSpec): Verdict | Promise<Verdict> {
    return this.#view.admit({ id, digest, scope, cost });
  }

  async #refuse(
    verdict: Exclude<Verdict, Pass>,
    spec: OperationSpec,
    envelope: Envelope,
    startedMs: number,
  ): Promise<Reply & { readonly result: Problem }> {
    const problem = refusalProblem(verdict, spec.scope);
    if (verdict.kind === 'unknown') this.#countUnknown(spec, envelope);
    if (verdict.kind !== 'refused') return this.#reply(problem, spec, envelope, null);
    const { token, reason } = verdict;
    if (verdict.withinRefusals && this.#denials.isSingle(token.id, reason)) {
      const use = useOfCall(envelope, spec, verdict, startedMs, 'refused', reason, problem.status, null);
      await this.#journal.record(use, metadataOf(envelope, verdict));
    } else {
      this.#denials.count({ token: token.id, workspace: token.workspace, reason, ...aggregateOf(spec, envelope) });
    }
    return this.#reply(problem, spec, envelope, problem.status === 401 ? null : verdict.usage);
  }

  #parse(
    { spec }: DeclaredOperation,
    envelope: Envelope,
    pass: Pass,
    startedMs: number,
  ): { readonly input: object; readonly admitted: AdmittedCall } | Problem {
    if (spec.http.upload !== undefined && envelope.upload === undefined) return takesBytes();
    const conditions = preconditions(envelope);
    if (isProblem(conditions)) return conditions;
    const raw = envelope.input();
    if (!raw.ok) return raw.problem;
    const input = parseInput(spec.input, raw.value);
    if (isProblem(input)) return input;
    const { ifRevision } = conditions;
    const admitted = new AdmittedCall({ spec, envelope, pass, startedMs }, input, ifRevision, this.#means);
    return { input, admitted };
  }

  async #run(
    { spec, operation }: DeclaredOperation,
    input: object,
    call: AdmittedCall,
    envelope: Envelope,
  ): Promise<Result> {
    try {
      if (envelope.logPosition !== undefined) {
        const stale = await awaitFreshness(this.#freshness, spec.readsFrom, envelope.logPosition);
        if (stale !== null) return stale;
      }
      return await operation.run(input, call);
    } catch (error) {
      return this.#fault(error, envelope);
    }
  }

  /** A write's own event is its use; everything else goes to the journal, and is durable before this resolves (P1). */
  async #record(
    result: Result,
    spec: OperationSpec,
    envelope: Envelope,
    pass: Pass,
    startedMs: number,
    resource: string | null,
  ): Promise<void> {
    if (!isProblem(result) && result.position !== undefined && result.position !== null) return;
    const reason = isProblem(result) ? 'failed' : null;
    const status = isProblem(result) ? result.status : (spec.http.status ?? 200);
    const decision = isProblem(result) ? 'refused' : 'allowed';
    const use = useOfCall(envelope, spec, pass, startedMs, decision, reason, status, resource);
    await this.#journal.record(use, metadataOf(envelope, pass));
  }

  /** Whoever ended its own token hears that it did: a successor's secret is in no other answer. */
  async #confirm(pass: Pass, result: Result): Promise<Problem | null> {
    switch (await this.#view.confirm(pass)) {
      case 'stands':
        return null;
      case 'dead':
        return !isProblem(result) && result.endsCaller === true ? null : unauthorized();
      default:
        return unavailable('The view of live tokens changed while this call was under way.');
    }
  }

  /** A long answer, if it is one: every piece of it asks again whether the token lives, and its end is recorded. */
  #watched(result: Result, spec: OperationSpec, envelope: Envelope, pass: Pass): Result {
    if (isProblem(result) || result.content === undefined) return result;
    const { token } = pass;
    const content = watched(result.content, {
      stillStands: async () => (await this.#view.confirm(pass)) === 'stands',
      ended: async (end) => {
        const about = { token: token.id, workspace: token.workspace, time: new Date().toISOString() };
        const data = { ...about, operation: spec.name, request_id: envelope.requestId, ...end };
        // The bytes have gone out; that their end is not on record changes nothing for the caller.
        await this.#journal.recordEnd(data, metadataOf(envelope, pass)).catch((error: unknown) => {
          this.#logger.error({ requestId: envelope.requestId, error }, 'the end of a long answer was not recorded');
        });
      },
    });
    return { content };
  }

  #fault(error: unknown, { requestId }: Envelope): Problem {
    if (error instanceof CallerDead) return unauthorized();
    if (error instanceof UploadBroken) return error.problem;
    if (error instanceof BadCursor) return malformed('The cursor is none that this list has given out.', 'cursor');
    if (error instanceof AppendTooLarge) return tooLargeToStore(MAX_APPEND_BYTES);
    if (error instanceof UseNotRecorded || error instanceof LogUnavailable || error instanceof OutcomeUnknown) {
      return unavailable('The event log cannot be written.', jittered());
    }
    if (error instanceof ViewUnavailable) return unavailable('The view of live tokens cannot be written.', jittered());
    if (areUnavailable(error)) return unavailable('The read models cannot be asked for the moment.', jittered());
    this.#logger.error({ requestId, error }, 'operation failed');
    return internal(requestId);
  }

  #countUnknown(spec: OperationSpec, envelope: Envelope): void {
    this.#denials.count({ token: null, reason: 'unknown', ...aggregateOf(spec, envelope) });
  }

  #reply<Answer extends Result>(
    result: Answer,
    spec: OperationSpec,
    { requestId }: Envelope,
    usage: UsageReading | null,
  ): Reply & { readonly result: Answer } {
    return { result, spec, requestId, usage };
  }
}

const aggregateOf = ({ name }: OperationSpec, { face, clientAddress }: Envelope) => ({
  face,
  operation: name,
  clientAddress,
});

/** 1 to 3 s, so that those turned away do not come back all at once. */
const jittered = (): number => 1 + Math.floor(Math.random() * 3);
