import type { People } from './people.ts';
import { idOf, type SampleClient } from './sample-client.ts';
import { sampleToken } from './sample-tokens.ts';

const WEEK_48 = `## Shipped

- Search answers in 80 ms where it took 900.
- The billing page tells what a seat costs before it is bought.

## Next

The import of old invoices; two customers wait for it.`;

const OUTAGE = `At 09:12 the queue of outgoing mail stood still for 26 minutes.

**Cause.** A token with every scope had been shared by three jobs; one of them was caught in a loop and used up the limit of all.

**Mended.** Each job has a token of its own now, with the scopes it needs and a limit of its own.`;

/** Reports by two agents, a discussion, a watcher that was refused once, and a routine with a run to look at. */
export async function fillComma(operator: SampleClient, { jason, maya }: People): Promise<void> {
  const laptop = await sampleToken(operator, 'comma/laptop', {
    catalogue: 'comma',
    name: 'claude-code on macbook',
    owner: jason,
    scopes: ['reports:read', 'reports:write', 'comments:read', 'comments:write'],
  });
  const office = await sampleToken(operator, 'comma/office', {
    catalogue: 'comma',
    name: 'cursor at the office',
    owner: maya,
    scopes: ['reports:read', 'comments:read', 'comments:write'],
  });
  const watcher = await sampleToken(operator, 'comma/watcher', {
    catalogue: 'comma',
    name: 'comment watcher',
    owner: maya,
    scopes: ['reports:read', 'comments:read'],
    limits: { reads: { per_minute: 30 } },
  });
  const nightly = await sampleToken(operator, 'comma/nightly', {
    catalogue: 'comma',
    name: 'nightly',
    owner: jason,
    scopes: ['reports:read', 'comments:write', 'routines:write'],
    limits: { writes: { per_minute: 10 } },
  });

  const outage = idOf(
    await laptop.client.post('/reports', 'report/outage', {
      title: 'What held up the mail on Monday',
      body: OUTAGE,
      status: 'published',
    }),
  );
  const week = idOf(await laptop.client.post('/reports', 'report/week', { title: 'Week 48', body: 'To be written.' }));
  await laptop.client.patch(`/reports/${week}`, 'report/week/written', { body: WEEK_48, status: 'published' });
  await laptop.client.post('/reports', 'report/draft', {
    title: 'Do we need a second queue?',
    body: 'Numbers first.',
    status: 'draft',
  });

  const question = { body: 'Which jobs shared it? I would like to see that none is left.' };
  const asked = idOf(await office.client.post(`/reports/${outage}/comments`, 'comment/question', question));
  const answer = { body: 'Mail, export and the nightly digest. All three have their own since this morning.' };
  await laptop.client.post(`/comments/${asked}/replies`, 'comment/answer', answer);
  await office.client.post(`/comments/${asked}/resolve`, 'comment/resolve');
  await office.client.post(`/reports/${week}/comments`, 'comment/import', { body: 'The import is at review.' });

  await watcher.client.get('/reports');
  await watcher.client.get(`/reports/${outage}/comments`);
  await watcher.client.refused('POST', '/reports', { title: 'What I saw' });

  const routine = await nightly.client.post('/routines', 'routine/nightly', {
    name: 'Look at the latest report',
    schedule: { cron: '0 3 * * *', time_zone: 'Europe/Berlin' },
    steps: [
      { operation: 'list_reports', input: { status: 'published', limit: 1 } },
      {
        operation: 'add_comment',
        input: { id: { $from: 'steps.0.items.0.id' }, body: 'Looked at by the nightly routine: nothing is open.' },
      },
    ],
    missed_slots: 'skip',
  });
  await nightly.client.post(`/routines/${idOf(routine)}/run`, 'routine/nightly/run');
}
