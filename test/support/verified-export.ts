import { createHash } from 'node:crypto';
import { parseVerifier } from '../../libs/proof/note.ts';
import { ExportVerifier, type Verdict } from '../../libs/proof/verify-export.ts';

/** What verifies offline who has an export's text and the log's public keys, as `writ audit verify` does. */
export function verifyText(text: string, keys: readonly string[]): Verdict {
  const verifier = new ExportVerifier(keys.map((key) => parseVerifier(key)!));
  for (const line of text.split('\n').slice(0, -1)) verifier.line(line);
  const before = text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1);
  return verifier.finish(createHash('sha256').update(before).digest('hex'));
}
