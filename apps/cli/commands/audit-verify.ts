import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { Injectable } from '@nestjs/common';
import { Option, SubCommand } from 'nest-commander';
import { parseVerifier, type Verifier } from '../../../libs/proof/note.ts';
import { ExportVerifier, type Finding, type Verdict } from '../../../libs/proof/verify-export.ts';
import { NotProved, WrongUsage } from '../failures.ts';
import { Terminal } from '../terminal.ts';
import { WritCommand } from './writ-command.ts';

interface VerifyOptions {
  readonly key?: readonly Verifier[];
  readonly json?: boolean;
}

/** Offline: it asks no server, and believes none. */
@Injectable()
@SubCommand({
  name: 'verify',
  arguments: '<file>',
  argsDescription: { file: 'an export in JSON Lines' },
  description: 'Check an export offline: signed, and nothing edited, dropped, added, moved or left out',
})
export class AuditVerifyCommand extends WritCommand {
  protected readonly examples = ['writ audit verify history.jsonl --key writ.pub'];

  constructor(private readonly terminal: Terminal) {
    super();
  }

  async run([file = '']: string[], { key, json }: VerifyOptions): Promise<void> {
    if (key === undefined || key.length === 0)
      throw new WrongUsage('Say whom you trust: --key KEY, or a file of keys.');
    if (!existsSync(file)) throw new WrongUsage(`There is no file ${file}.`);
    const verdict = await verifyFile(file, key);
    this.terminal.line(json === true ? JSON.stringify(reportOf(verdict)) : textOf(verdict));
    if (verdict.findings.length > 0) throw new NotProved(`${file} is not what was signed.`);
  }

  @Option({ flags: '--key <key>', description: 'a public key (writ audit keys), or a file of them, one a line' })
  parseKey(text: string): readonly Verifier[] {
    const lines = existsSync(text) ? readFileSync(text, 'utf8').split('\n') : [text];
    return lines
      .filter((line) => line.trim() !== '')
      .map((line) => {
        const verifier = parseVerifier(line);
        if (verifier === null) throw new WrongUsage(`Not a public key: ${line.slice(0, 60)}`);
        return verifier;
      });
  }

  @Option({ flags: '--json', description: 'print the verdict as JSON' })
  parseJson(): boolean {
    return true;
  }
}

const CHUNK_BYTES = 1024 * 1024;

async function verifyFile(file: string, keys: readonly Verifier[]): Promise<Verdict> {
  const verifier = new ExportVerifier(keys);
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) verifier.write(chunk as Buffer);
  return verifier.finish();
}

const reportOf = ({
  findings,
  checkpoint,
  signatures,
  events,
  hidden,
  fromLeaf,
  completeness,
  untallied,
}: Verdict) => ({
  sound: findings.length === 0,
  events,
  hidden,
  from_leaf: fromLeaf,
  size: checkpoint?.size ?? null,
  signed_by: signatures.filter(({ kind }) => kind === 'signed').map(({ by }) => by.name),
  completeness,
  untallied: untallied && {
    events: untallied.events,
    open_journals: untallied.openJournals,
    since: untallied.since,
  },
  findings,
});

function textOf(verdict: Verdict): string {
  const { findings, events, hidden, from_leaf: fromLeaf, size, signed_by, completeness } = reportOf(verdict);
  const shown = `${events} events shown, ${hidden} hidden, of the first ${size ?? '?'} of the log`;
  if (findings.length > 0) return [`NOT PROVED: ${shown}`, ...findings.map(sentence)].join('\n');
  const since = fromLeaf === 0 ? '' : ` from leaf ${fromLeaf}`;
  const complete =
    completeness === 'proved' ? `complete${since} up to there` : 'not claimed to be complete: it was narrowed';
  return [`Proved: ${shown}; ${complete}.`, ...limitsOf(verdict), `Signed by ${signed_by.join(', ')}.`].join('\n');
}

/** What no tally reaches, and so nobody could miss. */
function limitsOf({ untallied }: Verdict): readonly string[] {
  if (untallied === null) return [];
  const { events, openJournals, since } = untallied;
  const lines: string[] = [];
  if (since !== null) lines.push(`Not tallied yet: what ${journals(openJournals)} may have counted since ${since}.`);
  if (events > 0) lines.push(`In no tally: ${events} of the events shown; others like them could be missing.`);
  return lines;
}

const journals = (open: number): string => (open === 1 ? 'the open journal' : `the ${open} open journals`);

function sentence(finding: Finding): string {
  switch (finding.kind) {
    case 'altered':
      return `line ${finding.line}: the event of leaf ${finding.leaf} was altered`;
    case 'dropped':
      return `leaves ${finding.from} to ${finding.to - 1} were dropped`;
    case 'added':
      return `line ${finding.line}: a second event claims leaf ${finding.leaf}`;
    case 'reordered':
      return `line ${finding.line}: leaf ${finding.leaf} is out of order`;
    case 'unreadable':
      return `line ${finding.line}: ${finding.reason}`;
    case 'cut_short':
      return `it was cut short at leaf ${finding.leaf}`;
    case 'unsigned':
      return finding.reason;
    case 'root_differs':
      return `its lines come to the root ${finding.found}; signed was ${finding.signed}`;
    case 'incomplete':
      return `${finding.journal}: ${finding.reason}`;
    default:
      return unknownFinding(finding);
  }
}

function unknownFinding(finding: never): never {
  throw new Error(`unknown finding ${JSON.stringify(finding)}`);
}
