/** The rules of DESIGN §9 and STYLE "Rooms, and who may enter". */
export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nothing-imports-an-app',
      severity: 'error',
      from: { path: '^(libs|projections)/' },
      to: { path: '^apps/' },
    },
    {
      name: 'apps-are-apart',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    { name: 'libs-know-no-projection', severity: 'error', from: { path: '^libs/' }, to: { path: '^projections/' } },
    {
      name: 'nothing-ships-from-test',
      severity: 'error',
      from: { path: '^(apps|libs|projections)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^test/' },
    },
    {
      name: 'decisions-are-pure',
      comment: 'Deciders, events, window and proof import no framework, driver, clock or randomness.',
      severity: 'error',
      from: {
        path: '^libs/.*/(decide|events|token|report|authority)\\.ts$|^libs/(window|proof)/',
        pathNot: '\\.spec\\.ts$',
      },
      // The proof is made of hashes and signatures, which are functions of their arguments.
      to: {
        path: 'node_modules|^node:|^crypto$',
        dependencyTypesNot: ['type-only'],
        pathNot: 'node_modules/(ulid|canonicalize)|^(node:)?crypto$',
      },
    },
    {
      name: 'cli-shares-types-only',
      severity: 'error',
      from: { path: '^apps/(cli|mcp-stdio|web)/' },
      to: {
        path: '^libs/',
        dependencyTypesNot: ['type-only'],
        pathNot: '^libs/((settings|founding|sample|proof)/|transparency/signing-key)',
      },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: ['\\.d\\.ts$', '\\.spec\\.ts$', '\\.config\\.', '^test/', '^apps/.*/main\\.ts$', 'worker\\.ts$'],
      },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
  },
};
