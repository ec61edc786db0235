import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** At the end of a run: what was tested against which real thing (test/support/coverage-report.ts writes the lines). */
export default class RanReporter {
  #file = join(tmpdir(), `writ-ran-${process.pid}.jsonl`);

  onRunStart() {
    process.env['WRIT_TEST_REPORT'] = this.#file;
  }

  onRunComplete() {
    if (!existsSync(this.#file)) return;
    const lines = readFileSync(this.#file, 'utf8').trim().split('\n');
    rmSync(this.#file);
    console.log('\nWhat ran against what:');
    for (const line of new Set(lines)) console.log(`  ${line}`);
  }
}
