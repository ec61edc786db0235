import type { Answer, Body, TestServer } from './server.ts';

/** A project an operator has made, with the ids of its company and of its columns, in their order. */
export interface MadeProject {
  readonly company: string;
  readonly project: string;
  readonly columns: readonly string[];
}

/** Waits for what a write has done: the header of a read that comes after it. */
export const after = (write: Answer): Record<string, string> => {
  const position = write.headers.get('x-log-position');
  return position === null ? {} : { 'x-log-position': position };
};

export const itemsOf = (answer: Answer): Body[] => {
  if (answer.status !== 200) throw new Error(`no list: ${JSON.stringify(answer.body)}`);
  return answer.body['items'] as Body[];
};

/** Makes a company with the founder as its member (unless one is named), and a project in it. */
export async function makeProject(server: TestServer, company?: string): Promise<MadeProject> {
  const operate = async (path: string, body: unknown): Promise<Body> => {
    const answer = await server.call('POST', `/api/v1/admin/${path}`, { token: server.operator, body });
    if (answer.status !== 201) throw new Error(`not made: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const makeCompany = async (): Promise<string> => {
    const id = String((await operate('companies', { name: 'Acme' }))['id']);
    const body = { person: server.parts.founded.owner.id };
    await server.call('POST', `/api/v1/admin/companies/${id}/members`, { token: server.operator, body });
    return id;
  };
  const of = company ?? (await makeCompany());
  const project = String((await operate('projects', { company: of, name: 'Web' }))['id']);
  const columns = [];
  for await (const { type, data } of server.log.readStream(`project-${project}`)) {
    if (type === 'ColumnAdded') columns.push((data as { readonly column: string }).column);
  }
  return { company: of, project, columns };
}
