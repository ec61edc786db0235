/** One thing the benchmark measures: its rows of the table of targets, and its own part of the report. */
export interface Subject {
  readonly name: string;
  measure(): Promise<Findings>;
}

export interface Findings {
  readonly targets: readonly Target[];
  /** Markdown, from its `## ` heading on. */
  readonly section: string;
}

export interface Target {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly met: boolean;
}

export const atLeast = (what: string, target: number, measured: number): Target => ({
  what,
  target: `≥ ${target}`,
  measured: short(measured),
  met: measured >= target,
});

export const atMost = (what: string, target: number, measured: number): Target => ({
  what,
  target: `≤ ${target}`,
  measured: short(measured),
  met: measured <= target,
});

const short = (figure: number): string => (Number.isInteger(figure) ? `${figure}` : figure.toFixed(2));
