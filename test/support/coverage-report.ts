import { appendFile } from 'node:fs/promises';

/** Notes what a suite ran against, for the summary at the end of the run; nothing unless WRIT_TEST_REPORT names a file. */
export const ran = (what: string, against: string): Promise<void> => note(`${what}: ${against}`);

/** Notes what could not be tried on this machine, and why. */
export const notRan = (what: string, why: string): Promise<void> => note(`not covered: ${what} (${why})`);

async function note(line: string): Promise<void> {
  const file = process.env['WRIT_TEST_REPORT'];
  if (file !== undefined) await appendFile(file, `${line}\n`);
}
