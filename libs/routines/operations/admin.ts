import type { OperationSpec } from '../../operation/operation.ts';

/** The same operation for operators: on any routine of the workspace, whatever catalogue's token it runs under. */
export const forOperators = <Input extends object>(
  spec: OperationSpec<Input>,
  change: Partial<OperationSpec<Input>> = {},
): OperationSpec<Input> => ({
  ...spec,
  name: `admin_${spec.name}`,
  title: `${spec.title} (operators)`,
  catalogue: 'writ',
  scope: 'writ/operate',
  http: { ...spec.http, path: spec.http.path.replace('/api/v1/', '/api/v1/admin/') },
  ...change,
});
