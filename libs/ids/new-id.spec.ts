import { describe, expect, it } from '@jest/globals';
import { decodeTime } from 'ulid';
import { newId } from './new-id.ts';

describe('an id', () => {
  it('is a ULID of its time, and never the same twice', () => {
    const ids = Array.from({ length: 10_000 }, () => newId(1_800_000_000_000));
    expect(new Set(ids.map((id) => id.slice(10))).size).toBe(10_000);
    for (const id of ids) expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    expect(decodeTime(ids[0]!)).toBe(1_800_000_000_000);
  });

  it('uses every letter about as often', () => {
    const counts = new Map<string, number>();
    for (let made = 0; made < 4_000; made++) {
      for (const letter of newId().slice(10)) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    }
    expect(counts.size).toBe(32);
    for (const count of counts.values()) expect(Math.abs(count - 2_000)).toBeLessThan(300);
  });
});
