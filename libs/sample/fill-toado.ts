import type { People } from './people.ts';
import { type Body, idOf, type SampleClient } from './sample-client.ts';
import { sampleToken } from './sample-tokens.ts';

/** A company with a board that an agent works on, and a token pinned to one project that was refused a write. */
export async function fillToado(operator: SampleClient, { jason, maya }: People): Promise<void> {
  const company = idOf(await operator.post('/admin/companies', 'company/acme', { name: 'Acme' }));
  const website = await project(operator, company, 'website', 'Website relaunch');
  await project(operator, company, 'billing', 'Billing');
  for (const person of [jason, maya]) {
    await operator.post(`/admin/companies/${company}/members`, `member/${person}`, { person });
  }
  const agent = await sampleToken(operator, 'toado/agent', {
    catalogue: 'toado',
    name: 'claude-code on macbook',
    owner: jason,
    scopes: ['tickets:write', 'tickets:assign'],
    restrict: { companies: [company] },
  });
  const ci = await sampleToken(operator, 'toado/ci', {
    catalogue: 'toado',
    name: 'ci dashboard',
    owner: maya,
    scopes: ['read'],
    restrict: { companies: [company], projects: [website] },
    expires_at: '2099-12-31',
  });

  const columns = (await agent.client.get(`/projects/${website}/columns`))['items'] as readonly Body[];
  const [, doing, done] = columns.map(idOf);
  const ticket = async (key: string, title: string, body = ''): Promise<string> =>
    idOf(await agent.client.post('/tickets', `ticket/${key}`, { project: website, title, body }));
  const search = await ticket('search', 'Search answers too late', 'P99 is 900 ms; the index is asked twice.');
  const seats = await ticket('seats', 'Tell what a seat costs before it is bought');
  await ticket('invoices', 'Import old invoices', 'CSV first, 2019 to 2023.');
  const dark = await ticket('dark', 'Dark mode for the reports');
  await ticket('sitemap', 'A sitemap that names no drafts');

  await agent.client.post(`/tickets/${search}/assign`, 'assign/search', { assignees: [jason] });
  await agent.client.post(`/tickets/${search}/branch`, 'branch/search', { branch: 'fix/search-once' });
  await agent.client.post(`/tickets/${search}/move`, 'move/search', { column: doing });
  await agent.client.post(`/tickets/${search}/comments`, 'comment/search', {
    body: 'Asked once now: 80 ms. I will watch it for a day.',
  });
  await agent.client.post(`/tickets/${seats}/assign`, 'assign/seats', { assignees: [jason, maya] });
  await agent.client.post(`/tickets/${seats}/move`, 'move/seats', { column: done });
  await agent.client.post(`/tickets/${dark}/archive`, 'archive/dark');

  await ci.client.get('/tickets');
  await ci.client.refused('PATCH', `/tickets/${search}`, { title: 'Search is slow' });
}

const project = async (operator: SampleClient, company: string, key: string, name: string): Promise<string> =>
  idOf(await operator.post('/admin/projects', `project/${key}`, { company, name }));
