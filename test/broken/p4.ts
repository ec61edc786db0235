import type { Breakage } from './breakage.ts';

export const P4: readonly Breakage[] = [
  {
    broken: 'A view that is not built yet lets everybody in whom it knows.',
    file: 'libs/hot-view/memory/memory-hot-view.ts',
    text: "if (!this.#certified) return this.#notReady('it is being built');",
    replacement: '',
    spec: 'libs/hot-view/memory/memory-hot-view.spec.ts',
  },
  {
    broken: 'A partition that nobody has followed for 2 s lets callers in.',
    file: 'libs/hot-view/redis/prelude.lua.ts',
    text: "if ms - tonumber(h[2]) > stale_ms then return nil, '${NOT_FOLLOWING}' end",
    replacement: '',
    spec: 'libs/hot-view/redis/redis-hot-view.spec.ts',
  },
  {
    broken: 'A partition certified on another run of its server lets callers in.',
    file: 'libs/hot-view/redis/prelude.lua.ts',
    text: "if h[1] ~= this_run(run_id) then return nil, 'its server was restarted or replaced' end",
    replacement: '',
    spec: 'libs/hot-view/redis/redis-hot-view.spec.ts',
  },
  {
    broken: 'A view write that may not be trusted is taken for done.',
    file: 'libs/hot-view/redis/redis-hot-view.ts',
    text: "const doubt = doubts.find((each) => each !== '');",
    replacement: "const doubt = doubts.find((each) => each === 'never');",
    spec: 'libs/hot-view/redis/redis-hot-view.spec.ts',
  },
  {
    broken: 'A token with events that nobody understands goes on under what was understood before.',
    file: 'libs/hot-view/memory/memory-hot-view.ts',
    text: 'if (this.#parked.has(id) && (known || entry === undefined))',
    replacement: 'if (this.#parked.has(id) && entry === undefined)',
    spec: 'libs/hot-view/memory/memory-hot-view.spec.ts',
  },
  {
    broken: 'An answer goes out although the view it was metered by was lost meanwhile.',
    file: 'libs/gate/gate.ts',
    text: "return unavailable('The view of live tokens changed while this call was under way.');",
    replacement: 'return null;',
    spec: 'libs/gate/gate.spec.ts',
  },
  {
    broken: 'Read models out of reach are told as a fault of ours, not to be asked again.',
    file: 'libs/gate/gate.ts',
    text: 'if (areUnavailable(error)) return',
    replacement: "if (areUnavailable(error) && requestId === '') return",
    spec: 'libs/gate/gate.spec.ts',
  },
  {
    broken: 'A journal whose last append is of unknown outcome goes on writing behind it.',
    file: 'libs/usage/journal.ts',
    text: `this.#abandonSegment();
        const failure`,
    replacement: 'const failure',
    spec: 'libs/usage/journal.spec.ts',
  },
  {
    broken: 'Redis keeps nothing, and a partition is certified as if it held what was built.',
    file: 'libs/hot-view/redis/partition.lua.ts',
    text: 'if begun ~= this_run(ARGV[1]) then return 0 end',
    replacement: '',
    spec: 'projections/hot-view/follow-redis.spec.ts',
  },
  {
    broken: 'MCP streams stay open while nobody hears what becomes of their tokens.',
    file: 'libs/mcp/open-streams.ts',
    text: 'down: () => this.#endAll() });',
    replacement: 'down: () => undefined });',
    spec: 'test/e2e/mcp-streams.spec.ts',
  },
  {
    broken: 'Where the partition of a workspace does not stand, its calls pass unmetered.',
    file: 'libs/hot-view/redis/ceilings.ts',
    text: 'this.#partitions.hear(partitionOfWorkspace(workspace), reply[1], standing[0]);',
    replacement: "if (reply[1] !== '') return pass;",
    spec: 'libs/hot-view/redis/redis-hot-view.spec.ts',
  },
  {
    broken: 'A call is answered though the windows of its workspace were built anew while it was under way.',
    file: 'libs/hot-view/redis/redis-hot-view.ts',
    text: "return standing === 'stands' ? ofCeiling : standing;",
    replacement: "return standing === 'stands' && ofCeiling !== 'dead' ? 'stands' : standing;",
    spec: 'libs/hot-view/redis/redis-hot-view.spec.ts',
  },
];
