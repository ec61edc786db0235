import type { People } from './people.ts';
import { idOf, type SampleClient } from './sample-client.ts';
import { sampleToken } from './sample-tokens.ts';

/** A company with boards that an agent works on, and a token pinned to one project that was refused a write. */
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

  await agent.client.get('/projects');
  await ci.client.get('/projects');
  await ci.client.refused('POST', '/admin/projects', { company, name: 'Mine' });
}

const project = async (operator: SampleClient, company: string, key: string, name: string): Promise<string> =>
  idOf(await operator.post('/admin/projects', `project/${key}`, { company, name }));
