import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { personKeysContract } from '../../../test/contract/person-keys.contract.ts';
import { personKeysFile, SqliteKeyStore } from './sqlite-key-store.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'writ-keys-'));

personKeysContract('SQLite', () => {
  const directory = folder();
  return Promise.resolve({
    open: () => Promise.resolve(new SqliteKeyStore(directory)),
    dispose: () => Promise.resolve(rmSync(directory, { recursive: true })),
  });
});

describe('the file of keys', () => {
  it('is for its owner’s eyes only, and holds no byte of a destroyed key', async () => {
    const directory = folder();
    const store = new SqliteKeyStore(directory);
    const key = randomBytes(32);
    const bytes = (): Buffer =>
      Buffer.concat(readdirSync(directory).map((file) => readFileSync(join(directory, file))));
    for (let other = 0; other < 50; other++) await store.make(`other-${other}`, randomBytes(32));
    await store.make('ada', key);
    expect(statSync(personKeysFile(directory)).mode & 0o777).toBe(0o600);
    expect(bytes().includes(key)).toBe(true);
    await store.erase('ada');
    for (let part = 0; part < 32; part += 8) expect(bytes().includes(key.subarray(part, part + 8))).toBe(false);
    await store.close();
    rmSync(directory, { recursive: true });
  });
});
