import type { Response as Answer } from 'express';
import { ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { Problem } from '../problem/problem.ts';
import { META } from './meta.ts';
import { advice } from './tool-result.ts';

/** An answer of the protocol, whole. */
export interface Whole {
  readonly status: number;
  readonly body: string;
}

const SESSION_NOT_FOUND = -32_001;

/** A problem of a message that never reached a server, in the protocol's words (JSON-RPC 2.0 §5.1). */
export function rpcProblem(problem: Problem, id: string | number | null): Whole {
  const code = problem.status === 404 ? SESSION_NOT_FOUND : ProtocolErrorCode.InvalidRequest;
  const error = { code, message: advice(problem), data: { [META.problem]: problem } };
  return { status: problem.status, body: JSON.stringify({ jsonrpc: '2.0', id, error }) };
}

/** The library's answer, read. */
export const wholeOf = async (response: Response): Promise<Whole> => ({
  status: response.status,
  body: await response.text(),
});

export function send(answer: Answer, { status, body }: Whole): void {
  answer.statusCode = status;
  if (body === '') {
    answer.end();
    return;
  }
  const bytes = Buffer.from(body);
  answer.setHeader('Content-Type', 'application/json');
  answer.setHeader('Content-Length', bytes.length);
  answer.end(bytes);
}

export const isStream = ({ headers }: Response): boolean =>
  headers.get('content-type')?.startsWith('text/event-stream') === true;
