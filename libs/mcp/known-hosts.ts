import { localhostAllowedHostnames, validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server';
import { forbidden, type Problem } from '../problem/problem.ts';

/**
 * Against DNS rebinding (MCP, Transports, "Security Warning"): a page that a browser was lured to must not reach a
 * server on the same machine or network under a name of its own.
 */
export class KnownHosts {
  readonly #hostnames: string[];

  /** Names this server is reached by besides localhost; without port. */
  constructor(hostnames: readonly string[]) {
    this.#hostnames = [...new Set([...localhostAllowedHostnames(), ...hostnames])];
  }

  check(host: string | undefined, origin: string | undefined): Problem | null {
    if (!validateHostHeader(host, this.#hostnames).ok) {
      return forbidden('This Host is none of ours: see PUBLIC_URL and ALLOWED_HOSTS.');
    }
    if (!validateOriginHeader(origin, this.#hostnames).ok) {
      return forbidden('Pages of this Origin may not call here: see PUBLIC_URL and ALLOWED_HOSTS.');
    }
    return null;
  }
}
