import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { outOfReach, type Place, type Reach } from './reach.ts';

const id = fc.constantFrom('a', 'b', 'c');
const reach: fc.Arbitrary<Reach> = fc.record({
  workspace: fc.constantFrom('w1', 'w2'),
  companies: fc.uniqueArray(id, { maxLength: 1 }),
  projects: fc.uniqueArray(id, { maxLength: 2 }),
});
const place: fc.Arbitrary<Place> = fc.record({
  workspace: fc.constantFrom('w1', 'w2'),
  company: id,
  project: fc.option(id),
});
const isRestricted = ({ companies, projects }: Reach): boolean => companies.length + projects.length > 0;

describe('reach', () => {
  it('P8 P13 tells a restricted caller the same of what is elsewhere and of what is nowhere', () => {
    fc.assert(
      fc.property(reach, place, (caller, where) => {
        const found = outOfReach(caller, where);
        expect(found === null || found === outOfReach(caller, null)).toBe(true);
        expect(outOfReach(caller, null)).toBe(isRestricted(caller) ? 'forbidden' : 'not_found');
      }),
    );
  });

  it('P8 contains nothing that is not named', () => {
    fc.assert(
      fc.property(reach, place, (caller, where) => {
        const within =
          where.workspace === caller.workspace &&
          (caller.companies.length === 0 || caller.companies.includes(where.company)) &&
          (caller.projects.length === 0 || caller.projects.some((project) => project === where.project));
        expect(outOfReach(caller, where) === null).toBe(within);
      }),
    );
  });

  it('P8 shrinks with every name added', () => {
    fc.assert(
      fc.property(reach, place, id, (caller, where, name) => {
        fc.pre(caller.companies.length === 0);
        const narrower = { ...caller, companies: [name] };
        if (outOfReach(caller, where) !== null) expect(outOfReach(narrower, where)).not.toBeNull();
      }),
    );
  });
});
