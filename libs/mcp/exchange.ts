import type { Credential } from '../gate/authenticate.ts';
import type { Envelope, RawInput } from '../gate/envelope.ts';
import type { Gate, Reply } from '../gate/gate.ts';
import { newId } from '../ids/new-id.ts';
import type { DeclaredOperation } from '../operation/operation.ts';
import { isProblem, type Problem } from '../problem/problem.ts';

/** Who sent an HTTP request, as far as it says. */
export interface Caller {
  readonly credential: Credential | Problem;
  readonly clientAddress: string;
  readonly clientName: string;
}

/** What a request's `_meta` may say, as REST's headers do. */
export interface Conditions {
  readonly idempotencyKey?: string | undefined;
  readonly ifMatch?: string | undefined;
  readonly logPosition?: string | undefined;
}

const NOTHING: RawInput = { ok: true, value: {} };

/**
 * One HTTP request's way to the gate. Whatever the protocol library makes of the request, its answer is held back
 * until the gate has been asked, and nobody hears it whom the gate does not know.
 */
export class Exchange {
  readonly caller: Caller;
  readonly #gate: Gate;
  #last: Reply | null = null;
  #refusal: Problem | null = null;

  constructor(gate: Gate, caller: Caller) {
    this.#gate = gate;
    this.caller = caller;
  }

  /** One pass through the gate, recorded as a use of its own. */
  async ask(declared: DeclaredOperation, input: RawInput = NOTHING, conditions: Conditions = {}): Promise<Reply> {
    const { credential, clientAddress, clientName } = this.caller;
    const envelope: Envelope = {
      face: 'mcp',
      requestId: newId(),
      clientAddress,
      clientName,
      idempotencyKey: conditions.idempotencyKey,
      ifMatch: conditions.ifMatch,
      logPosition: conditions.logPosition,
      authenticate: () => credential,
      input: () => input,
    };
    const reply = await this.#gate.handle(declared, envelope);
    this.#last = reply;
    if (isProblem(reply.result) && isUnknownCaller(reply.result)) this.#refusal = reply.result;
    return reply;
  }

  /** The last that was asked; null: nothing yet. */
  get last(): Reply | null {
    return this.#last;
  }

  /** Set once the gate did not know the caller: then this, and nothing else, is the answer. */
  get refusal(): Problem | null {
    return this.#refusal;
  }
}

const isUnknownCaller = ({ status }: Problem): boolean => status === 401 || status === 431;
