import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PersonKeyStore } from '../../libs/privacy/person-key-store.ts';

export interface OpenedKeyStore {
  /** A store over the same keys: of another process, or of a later one. */
  open(): Promise<PersonKeyStore>;
  dispose(): Promise<void>;
}

const hex = (key: Uint8Array | null | undefined): string | null | undefined =>
  key === null || key === undefined ? key : Buffer.from(key).toString('hex');

/** What every store of the keys of people's data does. */
export function personKeysContract(name: string, start: () => Promise<OpenedKeyStore>): void {
  describe(`person keys contract: ${name}`, () => {
    let opened: OpenedKeyStore;
    let one: PersonKeyStore;
    let two: PersonKeyStore;

    beforeAll(async () => {
      opened = await start();
      [one, two] = await Promise.all([opened.open(), opened.open()]);
    }, 300_000);
    afterAll(async () => {
      await Promise.all([one.close(), two.close()]);
      await opened.dispose();
    }, 60_000);

    it('keeps the first key made for a person, whoever makes it', async () => {
      const [first, second] = [randomBytes(32), randomBytes(32)];
      const [a, b] = await Promise.all([one.make('ada', first), two.make('ada', second)]);
      expect(hex(a)).toBe(hex(b));
      expect([hex(first), hex(second)]).toContain(hex(a));
      const found = await two.find(['ada', 'nobody']);
      expect(hex(found.get('ada'))).toBe(hex(a));
      expect(found.has('nobody')).toBe(false);
      expect((await one.find([])).size).toBe(0);
    });

    it('destroys a key for good, and tells every process', async () => {
      await one.make('bo', randomBytes(32));
      const { nowMs } = await two.erasedSince(null);
      expect(await one.erase('bo')).toBe(true);
      expect(await two.erase('bo')).toBe(false);
      expect(hex((await two.find(['bo'])).get('bo'))).toBeNull();
      expect(await two.make('bo', randomBytes(32))).toBeNull();
      expect((await two.erasedSince(nowMs - 60_000)).persons).toContain('bo');
      expect((await two.erasedSince(null)).persons).toContain('bo');
      expect((await two.erasedSince(Date.now() + 3_600_000)).persons).toEqual([]);
    });

    it('somebody who never had a key is given none once erased', async () => {
      expect(await one.erase('cy')).toBe(true);
      expect(await one.make('cy', randomBytes(32))).toBeNull();
    });

    it('an erasure is unsettled until the views were asked, also for a process that starts later', async () => {
      await one.make('di', randomBytes(32));
      await one.erase('di');
      const later = await opened.open();
      expect(await later.unsettled()).toContain('di');
      await later.settle(['di']);
      expect(await one.unsettled()).not.toContain('di');
      await one.erase('di');
      expect(await one.unsettled()).not.toContain('di');
      await later.close();
    });
  });
}
