/** What every personal value of an erased person reads as, everywhere: nobody can tell any more what it was. */
export const ERASED = '[erased]';
