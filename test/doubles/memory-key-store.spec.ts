import { personKeysContract } from '../contract/person-keys.contract.ts';
import { MemoryKeyStore } from './memory-key-store.ts';

personKeysContract('memory', () => {
  const store = new MemoryKeyStore();
  return Promise.resolve({ open: () => Promise.resolve(store), dispose: () => Promise.resolve() });
});
