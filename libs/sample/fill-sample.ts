import { fillComma } from './fill-comma.ts';
import { fillToado } from './fill-toado.ts';
import type { People } from './people.ts';
import { type Body, idOf, SampleClient, SampleFailed } from './sample-client.ts';

/** The sample's last act is this token's end: where it is there, so is the rest. */
const LAST_TOKEN = 'sample contractor laptop';

/**
 * Fills a workspace with something worth looking at, in both products, through the ordinary operations and ordinary
 * tokens. Broken off and begun again it goes on where it was; done again it does nothing.
 * @param url of the server, without a slash at its end
 * @param operatorToken with the scopes to give tokens to others (`people:write`) and to make companies (`operate`)
 * @throws SampleFailed
 */
export async function fillSample(url: string, operatorToken: string): Promise<'filled' | 'there-already'> {
  const operator = new SampleClient(url, operatorToken);
  if (await isFilled(operator)) return 'there-already';
  const people: People = {
    jason: idOf(await operator.post('/admin/people', 'person/jason', { name: 'Jason' })),
    maya: idOf(await operator.post('/admin/people', 'person/maya', { name: 'Maya' })),
  };
  await fillComma(operator, people);
  await fillToado(operator, people);
  const contractor = await operator.try('POST', '/tokens', 'token/contractor', {
    catalogue: 'comma',
    name: LAST_TOKEN,
    owner: people.maya,
    scopes: ['reports:read'],
  });
  const id = String(contractor.body['id'] ?? contractor.body['existing']);
  await operator.delete(`/tokens/${id}?reason=offboarding&note=${encodeURIComponent('Contract ended')}`);
  // Seen by the very next one who asks, too.
  if (!(await isFilled(operator))) throw new SampleFailed('The sample was changed while it was being filled.');
  return 'filled';
}

async function isFilled(operator: SampleClient): Promise<boolean> {
  let cursor = '';
  do {
    const page = await operator.get(`/tokens?catalogue=comma&limit=200${cursor}`);
    const tokens = page['items'] as readonly Body[];
    if (tokens.some(({ name, status }) => name === LAST_TOKEN && status === 'revoked')) return true;
    cursor = typeof page['next'] === 'string' ? `&cursor=${encodeURIComponent(page['next'])}` : '';
  } while (cursor !== '');
  return false;
}
