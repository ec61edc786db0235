/** What keeps the read models is not there for the moment. */
export class ReadModelsUnavailable extends Error {
  override readonly name = 'ReadModelsUnavailable';
}

/** SQLSTATE of PostgreSQL (Appendix A): connection exceptions, too many connections, a server that stops or starts. */
const SQLSTATE = /^(?:08...|53300|57P0[123])$/;
const SYSTEM = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);
/** What `pg` says without a code. */
const LOST =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** Whether an error means that, rather than a mistake of ours: later the same may be answered. */
export function areUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: unknown };
  const known = typeof code === 'string' && (SQLSTATE.test(code) || SYSTEM.has(code));
  return error instanceof ReadModelsUnavailable || known || LOST.test(error.message);
}
