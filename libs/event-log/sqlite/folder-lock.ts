import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another process, or this one, has the folder's log open. */
export class LogInUse extends Error {
  override readonly name = 'LogInUse';
}

/**
 * An exclusive transaction on a file of its own: the system releases it when the process dies in whatever way, and
 * the log itself stays open to readers and live back-ups. Returns how to release it. @throws LogInUse
 */
export function lockFolder(directory: string): () => void {
  const db = new DatabaseSync(join(directory, 'lock.db'));
  try {
    db.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if ((error as { errcode?: number }).errcode !== 5) throw error;
    throw new LogInUse(`The folder ${directory} is in use by another Writ; stop it first, or choose another folder.`);
  }
  return () => db.close();
}
