/** JSON schema of a list (DESIGN §5). */
export const pageSchema = (items: object): object => ({
  type: 'object',
  required: ['items', 'next'],
  properties: { items: { type: 'array', items }, next: { type: ['string', 'null'] } },
});
