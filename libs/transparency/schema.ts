import { whole } from '../operation/schema.ts';

/** JSON schemas of what is proved. Hashes are base64. */
const hash = { type: 'string', contentEncoding: 'base64' };
const proof = { type: 'array', items: hash };

const checkpoint = {
  size: { type: 'integer', description: 'Leaves of the tree' },
  root: hash,
  checkpoint: { type: 'string', description: 'The signed note (c2sp.org/tlog-checkpoint)' },
};

export const inclusionSchema = whole({ leaf: { type: 'integer' }, leaf_hash: hash, proof, ...checkpoint });
export const consistencySchema = whole({ from: { type: 'integer' }, proof, ...checkpoint });
export const keysSchema = whole({
  origin: { type: 'string' },
  keys: { type: 'array', items: { type: 'string' } },
  witnesses: { type: 'array', items: { type: 'string' } },
});
export const cosignedSchema = whole({
  size: { type: 'integer' },
  witnesses: { type: 'array', items: { type: 'string' } },
});
