import type { Face } from '../usage/use.ts';

/** A call as a face hands it to the gate, before anything is believed of it. */
export interface Envelope {
  readonly face: Face;
  readonly requestId: string;
  readonly clientAddress: string;
  /** `User-Agent`, or what the MCP client calls itself. */
  readonly clientName: string;
  /** Every Authorization value that was sent. */
  readonly authorization: readonly string[];
  readonly idempotencyKey: string | undefined;
  readonly ifMatch: string | undefined;
  readonly logPosition: string | undefined;
  /** The input as sent, parsed only once the call is paid for. Returns a problem's text, never throws. */
  input(): RawInput;
}

export type RawInput =
  | { readonly ok: true; readonly value: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly problem: import('../problem/problem.ts').Problem };
