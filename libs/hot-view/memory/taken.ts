import type { Budget } from '../../usage/use.ts';
import type { Window } from '../../window/window.ts';
import type { Taken } from '../inspection.ts';

/** What a window of that budget holds at a second. */
export const takenFrom = (window: Window, budget: Budget, second: number): Taken[] =>
  Array.from(window.taken(second), ([at, cost]) => ({ budget, second: at, cost }));
