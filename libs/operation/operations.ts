import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { type DeclaredOperation, OPERATION, type Operation, type OperationSpec } from './operation.ts';

/** All operations of the process, by name. Two under one name or route fail the start. */
@Injectable()
export class Operations {
  readonly #byName = new Map<string, DeclaredOperation>();

  constructor(discovery: DiscoveryService) {
    const routes = new Set<string>();
    for (const { metatype, instance } of discovery.getProviders()) {
      const spec =
        typeof metatype === 'function' ? (Reflect.getMetadata(OPERATION, metatype) as OperationSpec) : undefined;
      if (spec === undefined) continue;
      const route = `${spec.http.method} ${spec.http.path}`;
      if (this.#byName.has(spec.name) || routes.has(route))
        throw new Error(`operation ${spec.name} (${route}) is declared twice`);
      routes.add(route);
      this.#byName.set(spec.name, { spec, operation: instance as Operation });
    }
  }

  get all(): readonly DeclaredOperation[] {
    return [...this.#byName.values()];
  }

  named(name: string): DeclaredOperation | null {
    return this.#byName.get(name) ?? null;
  }
}
