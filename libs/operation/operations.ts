import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { type DeclaredOperation, OPERATION, type Operation, type OperationSpec } from './operation.ts';

/** All operations of the process, by name. Two under one name or route fail the start. */
@Injectable()
export class Operations {
  readonly #discovery: DiscoveryService;
  #byName: ReadonlyMap<string, DeclaredOperation> | null = null;

  constructor(discovery: DiscoveryService) {
    this.#discovery = discovery;
  }

  get all(): readonly DeclaredOperation[] {
    return [...this.#declared().values()];
  }

  named(name: string): DeclaredOperation | null {
    return this.#declared().get(name) ?? null;
  }

  /** Found when first asked for: while providers are still being made, Nest shows unfinished instances. */
  #declared(): ReadonlyMap<string, DeclaredOperation> {
    return (this.#byName ??= discover(this.#discovery));
  }
}

function discover(discovery: DiscoveryService): ReadonlyMap<string, DeclaredOperation> {
  const byName = new Map<string, DeclaredOperation>();
  const routes = new Set<string>();
  for (const { metatype, instance } of discovery.getProviders()) {
    const spec =
      typeof metatype === 'function'
        ? (Reflect.getMetadata(OPERATION, metatype) as OperationSpec | undefined)
        : undefined;
    if (spec === undefined) continue;
    const route = `${spec.http.method} ${spec.http.path}`;
    if (byName.has(spec.name) || routes.has(route))
      throw new Error(`operation ${spec.name} (${route}) is declared twice`);
    routes.add(route);
    byName.set(spec.name, { spec, operation: instance as Operation });
  }
  return byName;
}
