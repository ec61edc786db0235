import { parseVerifier } from '../../libs/proof/note.ts';
import { ExportVerifier, type Verdict } from '../../libs/proof/verify-export.ts';

/** What verifies offline who has an export's text and the log's public keys, as `writ audit verify` does. */
export function verifyText(text: string, keys: readonly string[]): Verdict {
  const verifier = new ExportVerifier(keys.map((key) => parseVerifier(key)!));
  verifier.write(Buffer.from(text));
  return verifier.finish();
}
