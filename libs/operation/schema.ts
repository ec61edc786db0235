/** JSON schema of a list (DESIGN §5). */
export const pageSchema = (items: object): object => ({
  type: 'object',
  required: ['items', 'next'],
  properties: { items: { type: 'array', items }, next: { type: ['string', 'null'] } },
});

/** JSON schema of an object that always has all of these members. */
export const whole = (properties: object): object => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});

/** RFC 3339. */
export const time = { type: 'string', format: 'date-time' };
