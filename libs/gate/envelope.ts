import type { Upload } from '../operation/content.ts';
import type { Problem } from '../problem/problem.ts';
import type { Face } from '../usage/use.ts';
import type { Credential } from './authenticate.ts';

/** A call as a face hands it to the gate, before anything is believed of it. */
export interface Envelope {
  readonly face: Face;
  readonly requestId: string;
  readonly clientAddress: string;
  /** `User-Agent`, or what the MCP client calls itself. */
  readonly clientName: string;
  readonly idempotencyKey: string | undefined;
  readonly ifMatch: string | undefined;
  readonly logPosition: string | undefined;
  /**
   * Who calls, as this face establishes it: from what was shown (`authenticate`), or from what the server itself knows
   * (a routine's token). It only names a token; whether that lives, and what it may, is the gate's to find out.
   */
  authenticate(): Credential | Problem;
  /** The input as sent, parsed only once the call is paid for. Returns a problem's text, never throws. */
  input(): RawInput;
  /** The body of an operation that takes bytes, unread. */
  readonly upload?: Upload;
}

export type RawInput =
  | { readonly ok: true; readonly value: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly problem: Problem };
