import { appendFile } from 'node:fs/promises';

/** Notes what a suite ran against, for the summary at the end of the run; nothing unless WRIT_TEST_REPORT names a file. */
export async function ran(what: string, against: string): Promise<void> {
  const file = process.env['WRIT_TEST_REPORT'];
  if (file !== undefined) await appendFile(file, `${JSON.stringify({ what, against })}\n`);
}
