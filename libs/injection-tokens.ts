/** Names under which Nest hands out the ports. */
export const EVENT_LOG = Symbol('EventLog');
export const HOT_VIEW = Symbol('HotView');
export const CATALOGUES = Symbol('Catalogues');
export const FRESHNESS = Symbol('Freshness');
/** Milliseconds since 1970: what routines are due by. */
export const CLOCK = Symbol('Clock');
/** The Merkle tree over the log. */
export const TREE = Symbol('Tree');
export const ASSET_STORE = Symbol('AssetStore');
export const SETTINGS = Symbol('Settings');
/** Every view made from the log that operators can look at and rebuild (libs/projection/maintained-view.ts). */
export const MAINTAINED_VIEWS = Symbol('MaintainedViews');
/** What carries the history out of the log by itself (libs/transparency/outlets.ts). */
export const OUTLETS = Symbol('Outlets');
/** What moves old usage out of the log into archives (libs/retention/retention-runner.ts). */
export const RETENTION = Symbol('Retention');
