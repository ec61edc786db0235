import type { Breakage } from './breakage.ts';
import { P1 } from './p1.ts';
import { P2 } from './p2.ts';
import { P3 } from './p3.ts';
import { P4 } from './p4.ts';
import { P5 } from './p5.ts';
import { P6 } from './p6.ts';
import { P7 } from './p7.ts';
import { P8 } from './p8.ts';
import { P9 } from './p9.ts';
import { P10 } from './p10.ts';
import { P11 } from './p11.ts';
import { P12 } from './p12.ts';
import { P13 } from './p13.ts';

export interface Listed extends Breakage {
  readonly promise: string;
}

const OF = { P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13 };

/** Every breakage, in the order of the promises. */
export const BREAKAGES: readonly Listed[] = Object.entries(OF).flatMap(([promise, breakages]) =>
  breakages.map((breakage) => ({ promise, ...breakage })),
);
