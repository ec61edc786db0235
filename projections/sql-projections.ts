import type { AnyProjection } from '../libs/projection/projection.ts';
import { audit } from './audit/audit.projection.ts';
import { digests } from './digests/digests.projection.ts';
import { people } from './people/people.projection.ts';
import { reports } from './reports/reports.projection.ts';
import { routines } from './routines/routines.projection.ts';
import { toado } from './toado/toado.projection.ts';
import { tokenUses } from './token-uses/token-uses.projection.ts';
import { tokens } from './tokens/tokens.projection.ts';
import { transparency } from './transparency/transparency.projection.ts';

/** Every read model kept in PostgreSQL or PGlite: what servers and projectors start. */
export const SQL_PROJECTIONS: readonly AnyProjection[] = [
  reports,
  toado,
  tokens,
  tokenUses,
  routines,
  people,
  audit,
  transparency,
  digests,
];
