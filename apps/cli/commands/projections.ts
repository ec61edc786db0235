import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option, SubCommand } from 'nest-commander';
import type { Progress, ViewStatus } from '../../../libs/projection/maintained-view.ts';
import { Refused, WrongUsage } from '../failures.ts';
import { progressBar, projectionList, projectionStatus, verificationText } from '../show/projections.ts';
import type { Answer } from '../writ-client.ts';
import { GroupCommand, type JsonOption, ServerCommand } from './writ-command.ts';

const PATH = '/api/v1/admin/projections';
const LOOK_MS = 500;

/** A command about one projection, which may take its time. */
abstract class ProjectionCommand extends ServerCommand {
  protected pathOf([name = '']: readonly string[]): string {
    if (!/^[a-z][a-z-]{0,40}$/.test(name))
      throw new WrongUsage('Which projection? `writ projections list` shows them.');
    return `${PATH}/${name}`;
  }

  /** Looks again and again, with a bar for people, until what was asked has ended. */
  protected async watch(
    path: string,
    under: (view: ViewStatus) => Progress | 'waiting' | null,
  ): Promise<Answer<ViewStatus>> {
    let drawn = false;
    for (;;) {
      const answer = await this.client.get<ViewStatus>(path);
      const progress = under(answer.body);
      if (this.terminal.tty.err && progress !== null && progress !== 'waiting') {
        this.terminal.err(`\r\u001b[K${progressBar(progress)}`);
        drawn = true;
      }
      if (progress === null) {
        if (drawn) this.terminal.err('\n');
        return answer;
      }
      await sleep(LOOK_MS);
    }
  }
}

@SubCommand({ name: 'list', description: 'List the views made from the log, and how far each is' })
export class ListProjectionsCommand extends ServerCommand {
  protected readonly examples = ['writ projections list', 'writ projections list --json'];

  async run(_params: string[], { json }: JsonOption): Promise<void> {
    const { text, body } = await this.client.get<{ readonly items: readonly ViewStatus[] }>(PATH);
    this.show(json, text, () => projectionList(body.items));
  }
}

const NAME = { name: 'the projection' };

@SubCommand({
  name: 'status',
  description: 'Show one of them, with its parked streams',
  arguments: '<name>',
  argsDescription: NAME,
})
export class ProjectionStatusCommand extends ProjectionCommand {
  protected readonly examples = ['writ projections status audit'];

  async run(params: string[], { json }: JsonOption): Promise<void> {
    const { text, body } = await this.client.get<ViewStatus>(this.pathOf(params));
    this.show(json, text, () => projectionStatus(body));
  }
}

interface RebuildOptions extends JsonOption {
  readonly anew?: boolean;
  readonly stop?: boolean;
  readonly detach?: boolean;
}

@SubCommand({
  name: 'rebuild',
  description: 'Build one anew from the log while it serves, or go on with a stopped rebuild',
  arguments: '<name>',
  argsDescription: NAME,
})
export class RebuildProjectionCommand extends ProjectionCommand {
  protected readonly examples = [
    'writ projections rebuild audit',
    'writ projections rebuild audit --stop',
    'writ projections rebuild audit --detach --json',
  ];

  async run(params: string[], { json, anew, stop, detach }: RebuildOptions): Promise<void> {
    const path = this.pathOf(params);
    if (stop === true) {
      const { text, body } = await this.client.post<ViewStatus>(`${path}/stop`, {});
      this.show(json, text, () => projectionStatus(body));
      return;
    }
    const asked = await this.client.post<ViewStatus>(`${path}/rebuild`, { anew: anew ?? false });
    const rebuilding = ({ rebuild }: ViewStatus) => (rebuild?.state === 'running' ? rebuild : null);
    const { text, body } = detach === true ? asked : await this.watch(path, rebuilding);
    this.show(json, text, () => projectionStatus(body));
  }

  @Option({ flags: '--anew', description: 'from the beginning, even where a stopped rebuild could go on' })
  parseAnew(): boolean {
    return true;
  }

  @Option({ flags: '--stop', description: 'stop the rebuild under way; it goes on when asked again' })
  parseStop(): boolean {
    return true;
  }

  @Option({ flags: '--detach', description: 'do not wait for the end' })
  parseDetach(): boolean {
    return true;
  }
}

@SubCommand({
  name: 'verify',
  description: 'Compare one with what the log gives anew; fails where they differ',
  arguments: '<name>',
  argsDescription: NAME,
})
export class VerifyProjectionCommand extends ProjectionCommand {
  protected readonly examples = ['writ projections verify audit'];

  async run(params: string[], { json }: JsonOption): Promise<void> {
    const path = this.pathOf(params);
    await this.client.post<ViewStatus>(`${path}/verify`, {});
    const { text, body } = await this.watch(path, ({ verification }) =>
      verification?.state === 'running' ? verification.progress : null,
    );
    const { verification } = body;
    this.show(json, text, () => (verification === null ? 'no outcome' : verificationText(verification)));
    if (verification?.state !== 'same') {
      throw new Refused({ title: 'Not the same', status: 200, detail: `${body.name} is not what the log says.` }, null);
    }
  }
}

@SubCommand({
  name: 'retry',
  description: 'Apply a parked stream from where it stopped',
  arguments: '<name> <stream>',
  argsDescription: { ...NAME, stream: 'as `writ projections status` shows it' },
})
export class RetryStreamCommand extends ProjectionCommand {
  protected readonly examples = ['writ projections retry reports report-01J9ZK3V8Q6T4W2Y0B7D5F1G3H'];

  async run(params: string[], { json }: JsonOption): Promise<void> {
    const path = this.pathOf(params);
    const [, stream = ''] = params;
    await this.client.post<ViewStatus>(`${path}/retry`, { stream });
    const { text, body } = await this.watch(path, ({ parked }) =>
      parked.some((each) => each.stream === stream && each.retrying) ? 'waiting' : null,
    );
    this.show(json, text, () => projectionStatus(body));
    const still = body.parked.find((each) => each.stream === stream);
    if (still !== undefined) {
      throw new Refused({ title: 'Still parked', status: 200, detail: still.reason }, null);
    }
  }
}

export const PROJECTION_COMMANDS = [
  ListProjectionsCommand,
  ProjectionStatusCommand,
  RebuildProjectionCommand,
  VerifyProjectionCommand,
  RetryStreamCommand,
];

@Command({
  name: 'projections',
  description: 'Look at, rebuild and verify the views made from the log',
  allowExcessArgs: true,
  subCommands: PROJECTION_COMMANDS,
})
export class ProjectionsGroupCommand extends GroupCommand {
  protected readonly examples = ['writ projections list'];
}
