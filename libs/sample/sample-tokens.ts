import { type Body, idOf, type SampleClient, SampleFailed } from './sample-client.ts';

export interface SampleToken {
  readonly id: string;
  readonly client: SampleClient;
}

/**
 * A token of the sample and a client that calls with it; its secret is kept nowhere else. Where a fill that was broken
 * off has made it before, it is rotated: the secret of then is gone, and what its lineage has written is found again
 * under the same keys.
 */
export async function sampleToken(operator: SampleClient, key: string, input: Body): Promise<SampleToken> {
  const made = await operator.try('POST', '/tokens', `token/${key}`, input);
  if (made.status === 201) return { id: idOf(made.body), client: operator.as(String(made.body['token'])) };
  const existing = made.body['existing'];
  if (made.status !== 409 || typeof existing !== 'string') {
    throw new SampleFailed(`POST /tokens: ${made.status} ${String(made.body['detail'] ?? '')}`);
  }
  let record = await operator.get(`/tokens/${existing}`);
  while (typeof record['successor'] === 'string') record = await operator.get(`/tokens/${record['successor']}`);
  const rotated = await operator.post(`/tokens/${idOf(record)}/rotate`, `rotate/${idOf(record)}`, {
    overlap_seconds: 0,
  });
  return { id: idOf(rotated), client: operator.as(String(rotated['token'])) };
}
