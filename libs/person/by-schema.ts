import { time, whole } from '../operation/schema.ts';

/** JSON schema of a person. */
export const personSchema = whole({ id: { type: 'string' }, name: { type: 'string' } });

/** JSON schema of who wrote something (DESIGN §5). */
export const bySchema = whole({
  owner: personSchema,
  label: { type: ['string', 'null'] },
  token: { type: ['string', 'null'] },
  face: { enum: ['rest', 'mcp', 'routine', 'cli'] },
  at: time,
  text: { type: 'string', examples: ['Jason (claude-code on macbook) · via MCP · just now'] },
});
