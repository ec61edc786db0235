import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { Command, Option, SubCommand } from 'nest-commander';
import { parse } from 'yaml';
import type { RoutineView, RunDetail, RunView } from '../../../libs/routines/queries.ts';
import { parseOneOf, parseRevision, parseTokenId } from '../arguments.ts';
import { findConnection } from '../connection.ts';
import { WrongUsage } from '../failures.ts';
import { routineList, routineRecord, runList, runRecord } from '../show/routines.ts';
import type { Terminal } from '../terminal.ts';
import { ListCommand, type ListOptions } from './list-command.ts';
import { GroupCommand, type JsonOption, ServerCommand } from './writ-command.ts';

const ID = '01J9ZK3V8Q6T4W2Y0B7D5F1G3H';
const ROUTINE = { routine: 'the routine’s id' };

/** An operator's token reaches every routine of the workspace, a product's its own product's: two ways in. */
const pathOf = ({ env }: Terminal, ...rest: readonly string[]): string => {
  const routines = findConnection(env).token.startsWith('writ_') ? '/api/v1/admin/routines' : '/api/v1/routines';
  return [routines, ...rest.map(encodeURIComponent)].join('/');
};

interface ListRoutinesOptions extends ListOptions {
  readonly status?: string;
}

@SubCommand({ name: 'list', description: 'List routines, newest first: their schedules, and why one is paused' })
export class ListRoutinesCommand extends ListCommand {
  protected readonly examples = ['writ routine list', 'writ routine list --status paused --json'];

  async run(_params: string[], options: ListRoutinesOptions): Promise<void> {
    const { status } = options;
    const path = pathOf(this.terminal);
    await this.list<RoutineView>((most) => this.client.pages(path, { status }, most), options, routineList);
  }

  @Option({ flags: '--status <status>', description: 'only active, paused or deleted ones' })
  parseStatus(text: string): string {
    return parseOneOf(text, ['active', 'paused', 'deleted'], '--status');
  }
}

@SubCommand({
  name: 'show',
  description: 'Show a routine and its steps',
  arguments: '<routine>',
  argsDescription: ROUTINE,
})
export class ShowRoutineCommand extends ServerCommand {
  protected readonly examples = [`writ routine show ${ID}`];

  async run([routine = '']: string[], { json }: JsonOption): Promise<void> {
    const { text, body } = await this.client.get<RoutineView>(pathOf(this.terminal, routine));
    this.show(json, text, () => routineRecord(body));
  }
}

interface DefinitionOptions extends JsonOption {
  readonly file?: string;
}

/** What is written in a file: the body of the REST route, as JSON or YAML (docs/routines.md). */
abstract class DefineCommand extends ServerCommand {
  protected async definition(file = ''): Promise<object> {
    const text = await (file === '-' ? textOf(process.stdin) : readFile(file, 'utf8')).catch((error: unknown) => {
      throw new WrongUsage(`${file} cannot be read: ${(error as Error).message}`);
    });
    const given: unknown = parsed(file, text);
    if (typeof given !== 'object' || given === null || Array.isArray(given))
      throw new WrongUsage(`${file} must hold one routine: name, schedule and steps.`);
    return given;
  }
}

function parsed(file: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new WrongUsage(`${file} is neither JSON nor YAML: ${(error as Error).message}`);
  }
}

interface CreateRoutineOptions extends DefinitionOptions {
  readonly token?: string;
}

@SubCommand({ name: 'create', description: 'Create a routine from a file; it runs under the token that creates it' })
export class CreateRoutineCommand extends DefineCommand {
  protected readonly examples = [
    'writ routine create --file weekly.yaml',
    `writ routine create --file weekly.yaml --token ${ID}`,
  ];

  async run(_params: string[], { file, token, json }: CreateRoutineOptions): Promise<void> {
    const definition = await this.definition(file);
    const path = pathOf(this.terminal);
    const bound = token === undefined ? definition : { ...definition, token };
    const { text, body } = await this.client.post<RoutineView>(path, bound);
    this.show(json, text, () => routineRecord(body));
  }

  @Option({
    flags: '--file <file>',
    description: 'name, schedule and steps, as JSON or YAML; - is stdin',
    required: true,
  })
  parseFile(text: string): string {
    return text;
  }

  @Option({ flags: '--token <id>', description: 'for operators: the token it runs under' })
  parseToken(text: string): string {
    return parseTokenId(text);
  }
}

interface ChangeRoutineOptions extends DefinitionOptions {
  readonly token?: string;
  readonly ifRevision?: number;
}

@SubCommand({
  name: 'change',
  description: 'Change what of a routine is in a file, or the token it runs under',
  arguments: '<routine>',
  argsDescription: ROUTINE,
})
export class ChangeRoutineCommand extends DefineCommand {
  protected readonly examples = [
    `writ routine change ${ID} --file weekly.yaml --if-revision 3`,
    `writ routine change ${ID} --token 01J9ZK4B7C2D8E5F0G6H1J3K9M`,
  ];

  async run([routine = '']: string[], { file, token, ifRevision, json }: ChangeRoutineOptions): Promise<void> {
    if (file === undefined && token === undefined) throw new WrongUsage('Say what changes: --file or --token.');
    const definition = file === undefined ? {} : await this.definition(file);
    const path = pathOf(this.terminal, routine);
    const change = token === undefined ? definition : { ...definition, token };
    const { text, body } = await this.client.patch<RoutineView>(path, change, ifRevision);
    this.show(json, text, () => routineRecord(body));
  }

  @Option({ flags: '--file <file>', description: 'what changes of it, as JSON or YAML; - is stdin' })
  parseFile(text: string): string {
    return text;
  }

  @Option({ flags: '--token <id>', description: 'for operators: the token it runs under from now on' })
  parseToken(text: string): string {
    return parseTokenId(text);
  }

  @Option({ flags: '--if-revision <n>', description: 'only if it is at this version' })
  parseIfRevision(text: string): number {
    return parseRevision(text);
  }
}

@SubCommand({
  name: 'run',
  description: 'Run a routine now, beside its schedule',
  arguments: '<routine>',
  argsDescription: ROUTINE,
})
export class RunRoutineCommand extends ServerCommand {
  protected readonly examples = [`writ routine run ${ID}`];

  async run([routine = '']: string[], { json }: JsonOption): Promise<void> {
    const { text, body } = await this.client.post<RunView>(pathOf(this.terminal, routine, 'run'), {});
    this.show(
      json,
      text,
      () => `Run ${body.id} is opened; \`writ routine runs ${routine} ${body.id}\` shows its steps.`,
    );
  }
}

interface PauseOptions extends JsonOption {
  readonly note?: string;
}

@SubCommand({
  name: 'pause',
  description: 'Pause a routine; a run under way stops before its next step',
  arguments: '<routine>',
  argsDescription: ROUTINE,
})
export class PauseRoutineCommand extends ServerCommand {
  protected readonly examples = [`writ routine pause ${ID} --note "until the migration is done"`];

  async run([routine = '']: string[], { note, json }: PauseOptions): Promise<void> {
    const path = pathOf(this.terminal, routine, 'pause');
    const { text, body } = await this.client.post<RoutineView>(path, note === undefined ? {} : { note });
    this.show(json, text, () => routineRecord(body));
  }

  @Option({ flags: '--note <text>', description: 'why, for who looks at it' })
  parseNote(text: string): string {
    return text;
  }
}

@SubCommand({
  name: 'resume',
  description: 'Begin a paused routine’s schedule anew',
  arguments: '<routine>',
  argsDescription: ROUTINE,
})
export class ResumeRoutineCommand extends ServerCommand {
  protected readonly examples = [`writ routine resume ${ID}`];

  async run([routine = '']: string[], { json }: JsonOption): Promise<void> {
    const { text, body } = await this.client.post<RoutineView>(pathOf(this.terminal, routine, 'resume'), {});
    this.show(json, text, () => routineRecord(body));
  }
}

@SubCommand({ name: 'delete', description: 'End a routine for good', arguments: '<routine>', argsDescription: ROUTINE })
export class DeleteRoutineCommand extends ServerCommand {
  protected readonly examples = [`writ routine delete ${ID}`];

  async run([routine = '']: string[], { json }: JsonOption): Promise<void> {
    const { text } = await this.client.delete<RoutineView>(pathOf(this.terminal, routine), {});
    this.show(json, text, () => `Routine ${routine} is deleted; its runs stay in the history.`);
  }
}

@SubCommand({
  name: 'runs',
  description: 'List the runs of a routine, newest first; or show the steps of one',
  arguments: '<routine> [run]',
  argsDescription: { ...ROUTINE, run: 'the run’s id' },
})
export class ListRunsCommand extends ListCommand {
  protected readonly examples = [`writ routine runs ${ID}`, `writ routine runs ${ID} --all --json`];

  async run([routine = '', run]: string[], options: ListOptions): Promise<void> {
    if (run === undefined) {
      const path = pathOf(this.terminal, routine, 'runs');
      return await this.list<RunView>((most) => this.client.pages(path, {}, most), options, runList);
    }
    const { text, body } = await this.client.get<RunDetail>(pathOf(this.terminal, routine, 'runs', run));
    this.show(options.json, text, () => runRecord(body));
  }
}

export const ROUTINE_COMMANDS = [
  ListRoutinesCommand,
  ShowRoutineCommand,
  CreateRoutineCommand,
  ChangeRoutineCommand,
  RunRoutineCommand,
  PauseRoutineCommand,
  ResumeRoutineCommand,
  DeleteRoutineCommand,
  ListRunsCommand,
];

@Command({
  name: 'routine',
  description: 'Schedules of operations, and their runs',
  allowExcessArgs: true,
  subCommands: ROUTINE_COMMANDS,
})
export class RoutineGroupCommand extends GroupCommand {
  protected readonly examples = ['writ routine list', `writ routine runs ${ID}`];
}
