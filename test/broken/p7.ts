import type { Breakage } from './breakage.ts';

export const P7: readonly Breakage[] = [
  {
    broken: 'MCP lets a call do what its token has no scope for.',
    file: 'libs/mcp/methods.ts',
    text: 'return toolResult(await exchange.ask(tool, input,',
    replacement: 'return toolResult(await exchange.ask({ ...tool, spec: { ...tool.spec, scope: null } }, input,',
    spec: 'test/e2e/mcp-same-decision.spec.ts',
  },
  {
    broken: 'MCP’s calls cost nothing of the limits.',
    file: 'libs/mcp/methods.ts',
    text: 'return toolResult(await exchange.ask(tool, input,',
    replacement:
      'return toolResult(await exchange.ask({ ...tool, spec: { ...tool.spec, cost: { reads: 0, writes: 0, handshakes: 0 } } }, input,',
    spec: 'test/e2e/mcp-same-decision.spec.ts',
  },
  {
    broken: 'MCP lists tools that the token has no scope for.',
    file: 'libs/mcp/tools.ts',
    text: '(scope === null || token.grants.includes(scope));',
    replacement: '(scope === null || token.grants.length > 0);',
    spec: 'test/e2e/mcp.spec.ts',
  },
  {
    broken: 'MCP passes over the version that a change is to depend on.',
    file: 'libs/mcp/methods.ts',
    text: 'return { input: { ok: true, value: rest }, ifMatch: `"${String(version)}"` };',
    replacement: 'return { input: { ok: true, value: rest } };',
    spec: 'test/e2e/mcp.spec.ts',
    tests: 'P7 a change depends on the version',
  },
  {
    broken: 'A step of a routine does what its token has no scope for.',
    file: 'libs/routines/runner/routine-face.ts',
    text: 'return this.gate.handle(declared, {',
    replacement: 'return this.gate.handle({ ...declared, spec: { ...declared.spec, scope: null } }, {',
    spec: 'test/e2e/routines.spec.ts',
    tests: 'P7 a step is decided',
  },
  {
    broken: 'A scope does not grant what its catalogue says that it includes.',
    file: 'libs/catalogue/catalogue.ts',
    text: 'for (const included of catalogue.scopes[scope]?.includes ?? []) add(included);',
    replacement: '',
    spec: 'test/e2e/toado-tickets.spec.ts',
  },
];
