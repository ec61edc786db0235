import { MEDIA_TYPES } from '../../assets/media-type.ts';
import { time, whole } from '../../operation/schema.ts';
import { bySchema as by } from '../../person/by-schema.ts';

/** JSON schemas of what is answered of assets. */
export const assetSchema = whole({
  id: { type: 'string' },
  ticket: { type: 'string' },
  name: { type: 'string' },
  media_type: { enum: MEDIA_TYPES },
  length_bytes: { type: 'integer' },
  sha256: { type: 'string' },
  version: { type: 'integer' },
  by,
  created_at: time,
});

const fraction = { type: 'number', minimum: 0, maximum: 1 };
const kind = { enum: ['point', 'box'] };

export const annotationSchema = whole({
  id: { type: 'string' },
  asset: { type: 'string' },
  shape: {
    type: 'object',
    required: ['kind', 'x', 'y'],
    properties: { kind, x: fraction, y: fraction, width: fraction, height: fraction },
  },
  text: { type: 'string' },
  by,
  created_at: time,
});

export const removedAssetSchema = whole({
  id: { type: 'string' },
  ticket: { type: 'string' },
  removed: { const: true },
  /** False: they were uploaded before each file had its own, and another may have the same. */
  bytes_deleted: { type: 'boolean' },
});

export const removedAnnotationSchema = whole({
  id: { type: 'string' },
  asset: { type: 'string' },
  removed: { const: true },
});
