import { describe, expect, it } from '@jest/globals';
import { viewToken } from '../../test/contract/hot-view.contract.ts';
import { loadCatalogues } from '../catalogue/load-catalogues.ts';
import { successorId } from '../tokens/token-id.ts';
import { reachOf, steeringMistake } from './reach.ts';

const toado = loadCatalogues(null).named('toado')!;
const ofToado = { catalogue: 'toado', grants: ['toado/read'] };

describe('which routines a token sees', () => {
  it('P8 are its own alone, once it is restricted', () => {
    const agent = viewToken(ofToado);
    expect(reachOf(agent)).toEqual({ workspace: 'w1', catalogue: 'toado', lineage: null });
    for (const restrict of [
      { companies: ['acme'], projects: [] },
      { companies: ['acme'], projects: ['site'] },
    ]) {
      expect(reachOf({ ...agent, restrict })).toEqual({ workspace: 'w1', catalogue: 'toado', lineage: agent.lineage });
    }
    expect(reachOf(viewToken({ catalogue: 'writ' }))).toEqual({ workspace: 'w1', catalogue: null, lineage: null });
  });
});

describe('which routines a token steers', () => {
  const agent = viewToken({ ...ofToado, restrict: { companies: ['acme'], projects: [] } });
  const heir = { ...agent, id: successorId(agent.id, Date.now()), predecessor: agent.id };

  it('P13 are those of its own lineage, whose newest holds no more than it', () => {
    expect(steeringMistake(agent, heir, toado)).toBeNull();
    expect(steeringMistake(agent, viewToken(ofToado), toado)).toEqual(expect.stringMatching(/another token/));
    const more = { ...heir, grants: ['toado/read', 'toado/tickets:write'] };
    expect(steeringMistake(agent, more, toado)).toEqual(expect.stringMatching(/holds more/));
    for (const companies of [[], ['other']]) {
      const wider = { ...heir, restrict: { companies, projects: [] } };
      expect(steeringMistake(agent, wider, toado)).toEqual(expect.stringMatching(/holds more/));
    }
  });

  it('P13 an operator’s are those it could hand over', () => {
    const operator = viewToken({ catalogue: 'writ', grants: ['writ/tokens:write'], limits: { reads: 5, writes: 2 } });
    expect(steeringMistake(operator, agent, toado)).toBeNull();
    expect(steeringMistake(operator, { ...agent, limits: { reads: 6, writes: 2 } }, toado)).toEqual(
      expect.stringMatching(/limits/),
    );
    expect(steeringMistake(operator, { ...agent, owner: { id: 'mia', name: 'Mia' } }, toado)).toEqual(
      expect.stringMatching(/owner/),
    );
  });
});
