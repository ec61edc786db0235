import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import type { Breakage } from './breakage.ts';

interface Source {
  readonly version: number;
  readonly text: string;
}

/** What the compiler says of a file once it is broken: what it finds, no test has to find. */
export class Compiler {
  readonly #tree: string;
  readonly #broken = new Map<string, Source>();
  readonly #service: ts.LanguageService;
  #versions = 0;

  constructor(tree: string) {
    this.#tree = tree;
    const { config } = ts.readConfigFile(join(tree, 'tsconfig.json'), ts.sys.readFile) as { readonly config: object };
    const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, tree);
    this.#service = ts.createLanguageService({
      fileExists: ts.sys.fileExists,
      readFile: ts.sys.readFile,
      readDirectory: ts.sys.readDirectory,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
      getCompilationSettings: () => ({ ...options, noUnusedLocals: false, noUnusedParameters: false }),
      getCurrentDirectory: () => tree,
      getDefaultLibFileName: ts.getDefaultLibFilePath,
      getScriptFileNames: () => fileNames,
      getScriptVersion: (file) => String(this.#broken.get(file)?.version ?? 0),
      getScriptSnapshot: (file) => {
        const text = this.#broken.get(file)?.text ?? ts.sys.readFile(file);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
    });
  }

  /** Null: nothing. */
  complaintOf({ file, text, replacement }: Breakage): string | null {
    const path = join(this.#tree, file);
    const whole = readFileSync(path, 'utf8');
    const write = (now: string): unknown => this.#broken.set(path, { version: ++this.#versions, text: now });
    write(whole.replace(text, () => replacement));
    const [first] = [...this.#service.getSyntacticDiagnostics(path), ...this.#service.getSemanticDiagnostics(path)];
    write(whole);
    return first === undefined ? null : ts.flattenDiagnosticMessageText(first.messageText, ' ');
  }
}
