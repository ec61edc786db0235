import { CLIENT_INFO_META_KEY } from '@modelcontextprotocol/server';
import type { Request } from 'express';
import { authenticate } from '../gate/authenticate.ts';
import { redact } from '../logging/logger.ts';
import { isProblem, malformed, type Problem } from '../problem/problem.ts';
import type { Caller } from './exchange.ts';
import { openSession, type Session } from './session.ts';

/** An HTTP request to the MCP endpoint, as far as it can be understood before the gate is asked. */
export interface Incoming {
  readonly caller: Caller;
  /** Null: none was named. */
  readonly session: Session | null;
  /** The JSON of the body; undefined where it is none. */
  readonly body: unknown;
  /** Why nothing can be made of the request at all. */
  readonly problem: Problem | null;
}

const LONGEST_CLIENT_NAME = 200;
/** Nesting no message needs: arguments may nest 32 deep, in an envelope of a few. */
const DEEPEST = 40;

export function incomingOf(request: Request, unreadable: Problem | undefined): Incoming {
  const credential = authenticate(request.headersDistinct['authorization'] ?? []);
  const sealed = request.headers['mcp-session-id'];
  const session = typeof sealed === 'string' && !isProblem(credential) ? openSession(sealed, credential) : null;
  const body = unreadable === undefined ? jsonOf(request.body as Buffer | undefined) : undefined;
  const deep = isDeeper(body, DEEPEST);
  const problem = unreadable ?? (deep ? malformed('The message is nested too deeply.') : null);
  const clientName = nameIn(body) ?? session?.client ?? request.headers['user-agent'] ?? '';
  return {
    caller: {
      credential,
      clientAddress: request.ip ?? 'unknown',
      // Redacted before it is cut: half a token would no longer be known as one (P5).
      clientName: redact(clientName).slice(0, LONGEST_CLIENT_NAME),
    },
    session,
    body: deep ? undefined : body,
    problem: problem ?? (sealed !== undefined && session === null ? sessionUnknown() : null),
  };
}

/** The method of a single message; undefined for a batch, a response, or no message at all. */
export const methodOf = (body: unknown): string | undefined => {
  const method = isObject(body) ? body['method'] : undefined;
  return typeof method === 'string' ? method : undefined;
};

export const idOf = (body: unknown): string | number | null => {
  const id = isObject(body) ? body['id'] : undefined;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
};

/** The client begins a new one (MCP, Transports, "Session Management"). */
const sessionUnknown = (): Problem => ({
  ...malformed('There is no such session under this token: initialize again.', 'mcp-session-id'),
  status: 404,
  code: 'not_found',
});

function jsonOf(bytes: Buffer | undefined): unknown {
  if (bytes === undefined || bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** What the client calls itself: in the handshake of older revisions, in every request of the current one. */
function nameIn(body: unknown): string | null {
  const params = isObject(body) ? body['params'] : undefined;
  if (!isObject(params)) return null;
  const meta = params['_meta'];
  const info = isObject(meta) && CLIENT_INFO_META_KEY in meta ? meta[CLIENT_INFO_META_KEY] : params['clientInfo'];
  if (!isObject(info) || typeof info['name'] !== 'string') return null;
  return typeof info['version'] === 'string' ? `${info['name']} ${info['version']}` : info['name'];
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((member) => isDeeper(member, levels - 1));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
