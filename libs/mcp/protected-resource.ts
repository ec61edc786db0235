import type { Catalogues } from '../catalogue/catalogue.ts';

export const MCP_PATH = '/api/mcp';
const WELL_KNOWN = '/.well-known/oauth-protected-resource';
/** RFC 9728 §3.1: the path of the resource after the well-known one; and that alone, for clients that ask at the root. */
export const METADATA_PATHS: readonly string[] = [WELL_KNOWN, `${WELL_KNOWN}${MCP_PATH}`];

export const metadataUrl = (publicUrl: string): string => `${trimmed(publicUrl)}${WELL_KNOWN}${MCP_PATH}`;

/**
 * Protected resource metadata (RFC 9728 §2). It names no authorization server: tokens are made by people and by tokens
 * of the management API, never by a flow a client could begin.
 */
export const resourceMetadata = (publicUrl: string, catalogues: Catalogues): object => ({
  resource: `${trimmed(publicUrl)}${MCP_PATH}`,
  resource_name: 'Writ',
  resource_documentation: `${trimmed(publicUrl)}/docs`,
  bearer_methods_supported: ['header'],
  scopes_supported: [...new Set(catalogues.all.flatMap(({ scopes }) => Object.keys(scopes)))].toSorted(),
});

const trimmed = (url: string): string => url.replace(/\/+$/, '');
