import type { DueSchedule } from '../queries.ts';
import { latestSlot, nextSlot } from '../schedule.ts';

/** Later than this, nobody was there for a slot. */
export const GRACE_MS = 60_000;
const MOST_REMEMBERED = 10_000;

/** Which slot of a schedule to take now. */
export interface DueSlot {
  readonly slotMs: number;
  /** The first one nobody was there for; null: none. */
  readonly missedSinceMs: number | null;
  /** It was itself missed. */
  readonly late: boolean;
  readonly nextSlotMs: number | null;
}

/**
 * What this runner knows of slots beyond the read model, which follows a moment later: which it has taken or lost, and
 * which a clock that ran ahead has used up. Forgetting all of it costs a lost claim, nothing else.
 */
export class Slots {
  readonly #takenThrough = new Map<string, number>();
  readonly #rewoundAt = new Map<string, number>();

  /** The slot to take; null: none is due. Of several that are due it is the last one. */
  due(schedule: DueSchedule, nowMs: number): DueSlot | null {
    const dueAtMs = this.#dueAt(schedule, nowMs);
    if (dueAtMs === null || dueAtMs > nowMs) return null;
    const slotMs = latestSlot(schedule.schedule, dueAtMs, nowMs);
    const late = nowMs - slotMs > GRACE_MS;
    return {
      slotMs,
      missedSinceMs: late || slotMs !== dueAtMs ? dueAtMs : null,
      late,
      nextSlotMs: nextSlot(schedule.schedule, slotMs),
    };
  }

  /** The slot is somebody's. */
  taken({ routine, epoch }: DueSchedule, slotMs: number): void {
    if (this.#takenThrough.size >= MOST_REMEMBERED) this.#takenThrough.clear();
    const key = `${routine}:${epoch}`;
    this.#takenThrough.set(key, slotMs);
    if (this.#rewoundAt.has(key)) this.#rewoundAt.set(key, slotMs);
  }

  #dueAt({ routine, epoch, schedule, dueAtMs, lastSlotMs }: DueSchedule, nowMs: number): number | null {
    const key = `${routine}:${epoch}`;
    const takenMs = this.#takenThrough.get(key) ?? 0;
    // A clock was ahead and has been put back: its slots lie in the future, and the schedule begins anew from here.
    if (Math.max(lastSlotMs ?? 0, takenMs) > nowMs) {
      if (this.#rewoundAt.size >= MOST_REMEMBERED) this.#rewoundAt.clear();
      const anchorMs = Math.min(this.#rewoundAt.get(key) ?? nowMs, nowMs);
      this.#rewoundAt.set(key, anchorMs);
      return nextSlot(schedule, anchorMs);
    }
    this.#rewoundAt.delete(key);
    if (takenMs >= dueAtMs) return nextSlot(schedule, takenMs);
    this.#takenThrough.delete(key);
    return dueAtMs;
  }
}
