import { PATH } from './calls.ts';
import { median } from './load.ts';
import { atMost, type Findings, type Subject } from './subject.ts';
import { createToken, withWrit } from './writ.ts';

const REVOCATIONS = 30;

/** From the answer of a revocation to the first 401, asked for at once. */
export const revocation: Subject = { name: 'revocation', measure };

function measure(): Promise<Findings> {
  return withWrit(async ({ url }, _token, operator) => {
    const revokes: number[] = [];
    const firsts: number[] = [];
    let passedAfter = 0;
    for (let count = 0; count < REVOCATIONS; count++) {
      const { id, token } = await createToken(url, operator);
      const headers = { authorization: `Bearer ${token}` };
      await (await fetch(url + PATH, { headers })).text();
      const askedMs = performance.now();
      const revoked = await fetch(`${url}/api/v1/tokens/${id}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${operator}` },
      });
      const answeredMs = performance.now();
      if (!revoked.ok) throw new Error(`a revocation was answered ${revoked.status}`);
      await revoked.text();
      for (let status = 0; status !== 401;) {
        const response = await fetch(url + PATH, { headers });
        status = response.status;
        if (status !== 401) passedAfter++;
        await response.text();
      }
      firsts.push(performance.now() - answeredMs);
      revokes.push(answeredMs - askedMs);
    }
    return {
      targets: [atMost('calls that passed after an answered revocation', 0, passedAfter)],
      section: `## Revocation

Revoking one token took ${median(revokes).toFixed(1)} ms (median of ${REVOCATIONS}, durable); the first 401 followed
${median(firsts).toFixed(1)} ms after that answer (median of whole calls, slowest ${Math.max(...firsts).toFixed(1)} ms), and ${passedAfter} calls passed in between.`,
    };
  });
}
