// Loaded into a server before its own program: its clock is so far ahead.
const aheadMs = Number(process.env['CLOCK_AHEAD_MS'] ?? 0);
const now = Date.now;

Date.now = () => now() + aheadMs;
globalThis.Date = new Proxy(Date, {
  construct: (target, given, created) => Reflect.construct(target, given.length === 0 ? [Date.now()] : given, created),
});
Date.prototype.constructor = Date;
